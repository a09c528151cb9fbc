use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use super::words::OTHER;

/// The integrations that events came from.
#[derive(Debug, Default)]
pub(super) struct Known(RwLock<HashMap<Arc<str>, Arc<Seen>>>);

/// What was seen of one integration.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: Arc<str>,
    pub(super) hosts: Bounded,
    pub(super) ports: Bounded,
    pub(super) templates: Bounded,
}

/// The first texts of a kind; all later ones are `_OTHER`.
#[derive(Debug)]
pub(super) struct Bounded {
    most: usize,
    first: RwLock<HashSet<Arc<str>>>,
}

impl Known {
    pub(super) fn integration(&self, name: &str) -> Arc<Seen> {
        if let Some(seen) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(seen);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name: Arc<str> = name.into();
        let seen = all.entry(Arc::clone(&name)).or_insert_with(|| Arc::new(Seen::of(name)));
        Arc::clone(seen)
    }
}

impl Seen {
    fn of(name: Arc<str>) -> Self {
        let (hosts, ports) = (Bounded::to(MOST_HOSTS), Bounded::to(MOST_HOSTS));
        Self { name, hosts, ports, templates: Bounded::to(MOST_TEMPLATES) }
    }
}

impl Bounded {
    fn to(most: usize) -> Self {
        Self { most, first: RwLock::default() }
    }

    /// The text, or `_OTHER`.
    pub(super) fn text(&self, text: &str) -> Arc<str> {
        if let Some(known) = self.first.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Arc::clone(known);
        }
        let mut first = self.first.write().unwrap_or_else(PoisonError::into_inner);
        if first.len() >= self.most && !first.contains(text) {
            return OTHER.into();
        }
        let text: Arc<str> = text.into();
        first.insert(Arc::clone(&text));
        text
    }
}

/// An API has a few: a sandbox, regions, a host for files. One with a host for each customer has too
/// many for metrics.
const MOST_HOSTS: usize = 16;
/// More endpoints than a team calls of one API; fewer than the ids that a path could hold.
const MOST_TEMPLATES: usize = 128;
