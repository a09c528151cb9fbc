use std::sync::Arc;

use http::Request;

use super::config::RateLimitConfig;
use super::flights::Flights;
use super::handle::RateLimitHandle;
use super::layer::RateLimitLayer;
use super::limiter::Limiter;
use super::state::Schedule;
use crate::context::RequestHead;
use crate::pattern::capacity::Capacity;
use crate::pattern::keyed::KeyedMap;

/// A limiter for each key.
pub(super) type Limiters = KeyedMap<Limiter, Terms>;

/// What the limiter of a new key is made with.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    config: RateLimitConfig,
    room: Option<Arc<dyn Capacity>>,
    /// The bound on calls under way is one for all keys.
    flights: Arc<Flights>,
}

/// Reads the rate limits of a layer that keeps one for each key.
#[derive(Clone, Debug)]
pub struct KeyedRateLimits {
    layer: RateLimitLayer,
    limiters: Arc<Limiters>,
}

impl Terms {
    pub(super) fn new(config: &RateLimitConfig, room: Option<Arc<dyn Capacity>>) -> Self {
        Self { config: config.clone(), room, flights: Arc::default() }
    }

    /// Other settings; what is under way stays counted.
    pub(super) fn with(self, config: &RateLimitConfig, room: Option<Arc<dyn Capacity>>) -> Self {
        Self { config: config.clone(), room, ..self }
    }

    fn limiter(&self) -> Limiter {
        Limiter::beside(&self.config, self.room.clone(), Arc::clone(&self.flights))
    }
}

impl RateLimitLayer {
    /// The limiter of this request's key, where there are keys.
    pub(super) fn keyed_limiter<B>(&self, request: &Request<B>) -> Option<Arc<Limiter>> {
        let make = |terms: &Terms| {
            let limiter = terms.limiter();
            // Who stopped all keys stopped those to come, too.
            if let Some(left) = self.limiter.read(Schedule::paused_for) {
                limiter.pause(left);
            }
            limiter
        };
        Some(self.limiters.as_ref()?.of(&RequestHead::of(request), make))
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
