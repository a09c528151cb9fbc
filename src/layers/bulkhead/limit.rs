use std::sync::Arc;

use super::adaptive::Adaptive;
use super::config::PermitsConfig;
use super::permits::Permits;
use crate::pattern::capacity::Capacity;
use crate::settings::{Errors, Ratio};

/// One bound that several bulkheads share: the integrations of one provider, one account, one pool.
///
/// Clones share its permits. Changing a setting makes another limit with permits of its own: set
/// everything first, then clone it. See the [module](super#one-limit-for-several).
#[derive(Clone, Debug)]
#[must_use = "a limit bounds nothing until a bulkhead is given it"]
pub struct Limit(Arc<Permits>);

/// Which calls go first if several bulkheads share a [`Limit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// Goes first, and may use the reserve: a person is waiting. For `user_flow`.
    #[default]
    High,
    /// Goes if no call of high priority waits, and leaves the reserve free. For `background`.
    Low,
}

/// The permits that one bulkhead's calls may use.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) permits: Arc<Permits>,
    pub(super) priority: Priority,
}

impl Limit {
    /// At most `concurrency` calls at a time, none in the queue.
    pub fn new(concurrency: u32) -> Self {
        let (concurrency, reserve) = (Some(concurrency), DEFAULT_RESERVE);
        let config = PermitsConfig { concurrency, reserve, ..PermitsConfig::default() };
        Self(Arc::new(Permits::new(config)))
    }

    /// How many calls may wait for a permit, of all the bulkheads together; none by default.
    pub fn queue(self, calls: u32) -> Self {
        self.set(|config| config.queue = calls)
    }

    /// The share of the permits that is for high priority only; 10 % by default.
    ///
    /// Of two permits or more it is at least one, unless it is [`Ratio::ZERO`], and never all.
    pub fn reserve(self, share: Ratio) -> Self {
        self.set(|config| config.reserve = share)
    }

    /// Adapts the number of permits to the provider; it begins with the given one.
    pub fn adaptive(self, adaptive: Adaptive) -> Self {
        self.set(|config| config.adaptive = Some(adaptive))
    }

    pub(super) fn permits(&self) -> &Arc<Permits> {
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

    fn set(self, set: impl FnOnce(&mut PermitsConfig)) -> Self {
        let mut config = self.0.config();
        set(&mut config);
        Self(Arc::new(Permits::new(config)))
    }
}

impl Capacity for Share {
    fn limit(&self) -> Option<u32> {
        self.permits.limit_of(self.priority)
    }
}

/// A tenth: a person's call finds a permit while jobs hold all of theirs, at a small cost to the jobs.
const DEFAULT_RESERVE: Ratio = Ratio::percent(10);
