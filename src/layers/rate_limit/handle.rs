use std::sync::Arc;
use std::time::Duration;

use super::layer::RateLimitLayer;
use super::limiter::Limiter;
#[cfg(feature = "fleet")]
use super::shared_limit::SharedLimit;
use super::state::{Schedule, ShareNow};
use crate::event::Event;

/// Reads a rate limit, and stops all calls for a while.
///
/// Of a layer that keeps a limit for each key, it is of all keys together: what is counted is their sum,
/// and a time the longest of theirs. [`KeyedRateLimits`](super::KeyedRateLimits) has a handle of each.
///
/// ```
/// use std::time::Duration;
/// use outrigger::rate_limit::RateLimitLayer;
///
/// let limit = RateLimitLayer::new(10, Duration::from_secs(1));
/// let handle = limit.handle();
///
/// // Nobody goes for a minute.
/// handle.pause(Duration::from_secs(60));
/// assert!(handle.paused_for() > Some(Duration::from_secs(59)));
///
/// handle.forget();
/// assert_eq!(handle.paused_for(), None);
/// ```
#[derive(Clone, Debug)]
pub struct RateLimitHandle {
    layer: RateLimitLayer,
    /// That of the key whose handle it is.
    only: Option<Arc<Limiter>>,
}

impl RateLimitHandle {
    pub(super) fn new(layer: RateLimitLayer) -> Self {
        Self { layer, only: None }
    }

    pub(super) fn of_key(layer: RateLimitLayer, limiter: Arc<Limiter>) -> Self {
        Self { layer, only: Some(limiter) }
    }

    /// How many calls wait for their turn just now, in the queue of this layer.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.limiters().iter().map(|limiter| limiter.waiting()).sum()
    }

    /// How many calls went out and aren't answered yet; 0 if that is not bounded.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.limiters().iter().map(|limiter| limiter.in_flight()).sum()
    }

    /// How many calls were refused here since it was made.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.limiters().iter().map(|limiter| limiter.rejected()).sum()
    }

    /// The time between two requests under constant load; `None` if nothing limits them.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        self.limiters().iter().filter_map(|limiter| limiter.read(Schedule::interval)).max()
    }

    /// How much longer all calls are stopped; `None` if they aren't.
    #[must_use]
    pub fn paused_for(&self) -> Option<Duration> {
        self.limiters().iter().filter_map(|limiter| limiter.read(Schedule::paused_for)).max()
    }

    /// Stops all calls for at least so long from now; an earlier pause that ends later stays.
    pub fn pause(&self, pause: Duration) {
        self.limiters().iter().for_each(|limiter| limiter.pause(pause));
        self.layer.tell(|| Event::RateLimitPaused { pause });
    }

    /// Ends a pause, and forgets what was learned of the provider's limits.
    ///
    /// A provider may ask for any wait by mistake: this ends it.
    pub fn forget(&self) {
        for limiter in self.limiters() {
            let (_, changed) = limiter.change(Schedule::forget);
            if let Some(interval) = changed {
                self.layer.tell(|| Event::RateLimitChanged { interval });
            }
        }
    }

    /// What it may use of its account's rate; `None` if it shares none.
    pub(crate) fn share(&self) -> Option<ShareNow> {
        self.layer.limiter.read(Schedule::share_now)
    }

    /// The limit that a fleet may set; `None` if there is one for each key.
    #[cfg(feature = "fleet")]
    pub(crate) fn shared_limit(&self) -> Option<SharedLimit> {
        self.layer.limiters.is_none().then(|| SharedLimit::new(&self.layer.limiter))
    }

    fn limiters(&self) -> Vec<Arc<Limiter>> {
        match (&self.only, &self.layer.limiters) {
            (Some(only), _) => vec![Arc::clone(only)],
            (None, None) => vec![Arc::clone(&self.layer.limiter)],
            (None, Some(limiters)) => {
                let mut all = limiters.all();
                all.push(Arc::clone(&self.layer.limiter));
                all
            }
        }
    }
}
