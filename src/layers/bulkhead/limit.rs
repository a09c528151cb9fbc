use std::sync::Arc;

use super::adaptive::Adaptive;
use super::config::PlacesConfig;
use super::places::Places;
use crate::pattern::capacity::Capacity;
use crate::settings::{Errors, Ratio};

/// One bound that several bulkheads share: the integrations of one provider, one account, one pool.
///
/// Clones share its places. Setting anything makes a limit of its own, with places of its own: set
/// everything first, then hand out clones. See the [module](super#one-limit-for-several).
#[derive(Clone, Debug)]
#[must_use = "a limit bounds nothing until a bulkhead is given it"]
pub struct Limit(Arc<Places>);

/// Who goes first where several share a [`Limit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// Goes first, and has the reserve to itself: a person waits. For `user_flow`.
    #[default]
    High,
    /// Goes when nobody of high priority waits, and leaves the reserve free. For `background`.
    Low,
}

/// What of the places one bulkhead's calls may take.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) places: Arc<Places>,
    pub(super) priority: Priority,
}

impl Limit {
    /// At most `concurrency` calls at a time, none in the queue.
    pub fn new(concurrency: u32) -> Self {
        let (concurrency, reserve) = (Some(concurrency), DEFAULT_RESERVE);
        let config = PlacesConfig { concurrency, reserve, ..PlacesConfig::default() };
        Self(Arc::new(Places::new(config)))
    }

    /// How many calls may wait for a place, of all the bulkheads together; none by default.
    pub fn queue(self, calls: u32) -> Self {
        self.set(|config| config.queue = calls)
    }

    /// The share of the places that is for high priority only; 10 % by default.
    ///
    /// Of two places or more it is at least one, unless it is [`Ratio::ZERO`], and never all.
    pub fn reserve(self, share: Ratio) -> Self {
        self.set(|config| config.reserve = share)
    }

    /// Moves the number of places with what the provider can take; it begins as it was given.
    pub fn adaptive(self, adaptive: Adaptive) -> Self {
        self.set(|config| config.adaptive = Some(adaptive))
    }

    pub(super) fn places(&self) -> &Arc<Places> {
        &self.0
    }

    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        self.0.config().check_into("limit", "limit.adaptive", errors);
        if self.0.config().reserve >= Ratio::ONE {
            errors.add(
                "limit.reserve",
                "all places are for high priority: leave some of them, or give low priority none by a limit of its own",
            );
        }
    }

    fn set(self, set: impl FnOnce(&mut PlacesConfig)) -> Self {
        let mut config = self.0.config();
        set(&mut config);
        Self(Arc::new(Places::new(config)))
    }
}

impl Capacity for Share {
    fn limit(&self) -> Option<u32> {
        self.places.limit_of(self.priority)
    }
}

/// A tenth: a person finds a place though jobs hold all that they may, and the jobs hardly miss it.
const DEFAULT_RESERVE: Ratio = Ratio::percent(10);
