//! The counts of the outbox's lanes, which all pages share.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::page::LaneCard;
use crate::outbox::Outbox;
use crate::rt::{self, Lock};

/// The lanes as they were counted last.
#[derive(Debug, Default)]
pub(super) struct CountedLanes(Mutex<Counted>);

#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) lanes: Vec<LaneCard>,
    /// Why some couldn't be counted.
    pub(super) trouble: Option<String>,
    at: Option<Instant>,
}

impl CountedLanes {
    /// Counted less than a second ago, so that many who look don't each ask the store.
    pub(super) async fn now(&self, outbox: &Outbox) -> Counted {
        let known = self.0.locked().clone();
        if known.at.is_some_and(|at| rt::now().duration_since(at) < AGE) {
            return known;
        }
        let mut fresh = Counted { at: Some(rt::now()), ..Counted::default() };
        for name in outbox.lane_names() {
            match outbox.stats(name.clone()).await {
                Ok(stats) => fresh.lanes.push(LaneCard { name, stats }),
                Err(error) => fresh.trouble = Some(error.to_string()),
            }
        }
        self.0.locked().clone_from(&fresh);
        fresh
    }
}

/// As often as a page is told of changes.
const AGE: Duration = Duration::from_secs(1);
