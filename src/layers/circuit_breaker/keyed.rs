use super::breaker::Breaker;
use super::config::BreakerConfig;
use super::state::Forced;
use crate::pattern::keyed::{KeyedMap, KeyedValue};
use crate::terms::BreakerState;

/// A breaker for each key, made when a key is first seen and forgotten when it is idle.
pub(super) type BreakerMap = KeyedMap<Breaker, BreakerConfig>;

impl KeyedValue for Breaker {
    fn is_at_rest(&self) -> bool {
        self.state() == BreakerState::Closed && self.shared.forced() == Forced::No
    }
}
