use std::sync::Arc;

use http::Request;

use super::config::RateLimitConfig;
use super::handle::RateLimitHandle;
use super::in_flight::InFlight;
use super::layer::RateLimitLayer;
use super::limiter::Limiter;
use super::state::Schedule;
use crate::context::RequestHead;
use crate::pattern::capacity::Capacity;
use crate::pattern::keyed::KeyedMap;

/// A limiter for each key.
pub(super) type Limiters = KeyedMap<Limiter, LimiterConfig>;

/// What a new key's limiter is made from.
#[derive(Clone, Debug)]
pub(super) struct LimiterConfig {
    config: RateLimitConfig,
    capacity: Option<Arc<dyn Capacity>>,
    /// All keys share one bound on calls in flight.
    in_flight: Arc<InFlight>,
}

/// Reads the rate limits of a layer that keeps one for each key.
#[derive(Clone, Debug)]
pub struct KeyedRateLimits {
    layer: RateLimitLayer,
    limiters: Arc<Limiters>,
}

impl LimiterConfig {
    pub(super) fn new(config: &RateLimitConfig, capacity: Option<Arc<dyn Capacity>>) -> Self {
        Self { config: config.clone(), capacity, in_flight: Arc::default() }
    }

    /// Applies other settings. Calls in flight stay counted.
    pub(super) fn with(
        self,
        config: &RateLimitConfig,
        capacity: Option<Arc<dyn Capacity>>,
    ) -> Self {
        Self { config: config.clone(), capacity, ..self }
    }

    fn limiter(&self) -> Limiter {
        Limiter::with_in_flight(&self.config, self.capacity.clone(), Arc::clone(&self.in_flight))
    }
}

impl RateLimitLayer {
    /// The limiter of this request's key, where there are keys.
    pub(super) fn keyed_limiter<B>(&self, request: &Request<B>) -> Option<Arc<Limiter>> {
        let make = |_: &str, config: &LimiterConfig| {
            let limiter = config.limiter();
            // A pause of all keys holds for new keys too.
            if let Some(left) = self.limiter.read(Schedule::paused_for) {
                limiter.pause(left);
            }
            limiter
        };
        self.limiters.as_ref()?.of(&RequestHead::of(request), make)
    }
}

impl KeyedRateLimits {
    pub(super) fn new(layer: RateLimitLayer, limiters: Arc<Limiters>) -> Self {
        Self { layer, limiters }
    }

    /// The keys that have a limit just now, in no order; those that were idle for long may be gone.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.limiters.keys()
    }

    /// The limit of one key, if the key was seen.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<RateLimitHandle> {
        Some(RateLimitHandle::of_key(self.layer.clone(), self.limiters.get(key)?))
    }
}
