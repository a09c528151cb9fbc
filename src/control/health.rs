use std::time::{Duration, SystemTime};

use super::lever::LeverState;
use super::pool_figures::PoolFigures;
use crate::terms::{BreakerState, Credential, Status};

/// How an integration is, all at once.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// Its name.
    pub integration: String,
    /// How it is, in a word.
    pub status: Status,
    /// Since when, where that is known.
    pub since: Option<SystemTime>,
    /// Faults are being injected: what users see may not be the provider's doing.
    pub is_rehearsing: bool,
    /// Where its levers stand.
    pub levers: Vec<LeverState>,
    /// Its circuit breaker; `None` where it has none, or one for each key.
    pub breaker: Option<BreakerHealth>,
    /// Its circuit breakers, where it has one for each key.
    pub keyed_breakers: Option<KeyedBreakersHealth>,
    /// Its bulkhead.
    pub bulkhead: BulkheadHealth,
    /// Its rate limit.
    pub rate_limit: RateLimitHealth,
    /// How many retries are saved up in its budget; `None` where it has no limit.
    pub retries_saved: Option<u32>,
    /// Its second requests.
    pub hedge: HedgeHealth,
    /// Its dark launch; `None` where it has none.
    pub mirror: Option<MirrorHealth>,
    /// Its connections; `None` where the client is not its own.
    pub pool: Option<PoolFigures>,
    /// What ends some day, the soonest first; of its own client alone, as far as that knows.
    pub expiries: Vec<Expiry>,
}

/// When a credential ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// What ends.
    pub credential: Credential,
    /// The host that showed it; `None` where it is ours.
    pub host: Option<String>,
    /// When.
    pub at: SystemTime,
}

/// A circuit breaker's state and window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerHealth {
    /// The state.
    pub state: BreakerState,
    /// For how long it has not been closed.
    pub open_for: Option<Duration>,
    /// Results in the window.
    pub calls: u32,
    /// Failures among them.
    pub failed: u32,
    /// Slow calls among them.
    pub slow: u32,
    /// Calls refused since it was made.
    pub rejected: u64,
    /// Calls whose callers went away since it was made.
    pub abandoned: u64,
    /// Calls that wait until the provider answers again.
    pub held: usize,
}

/// The circuit breakers of an integration that has one for each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedBreakersHealth {
    /// How many keys have one just now.
    pub keys: usize,
    /// How many of those aren't closed:
    /// [`keyed_breakers`](crate::Integration::keyed_breakers) says which.
    pub open: usize,
}

/// A bulkhead's places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadHealth {
    /// How many there are; `None` without a bound.
    pub limit: Option<u32>,
    /// How many are taken.
    pub in_use: u32,
    /// How many calls wait for one.
    pub waiting: u32,
}

/// A rate limit's pace and queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitHealth {
    /// The time between two requests; `None` where nothing limits them.
    pub interval: Option<Duration>,
    /// For how long everybody is stopped yet.
    pub paused_for: Option<Duration>,
    /// How many calls wait for their turn.
    pub waiting: u32,
    /// Calls refused since it was made.
    pub rejected: u64,
}

/// What became of second requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeHealth {
    /// After how long a second request goes out; `None` where none does.
    pub delay: Option<Duration>,
    /// Those that went out.
    pub sent: u64,
    /// Those that were answered first.
    pub won: u64,
    /// Those that would have gone out, but for the budget or the provider's state.
    pub skipped: u64,
}

/// What became of a dark launch's copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorHealth {
    /// The share of calls that is copied, in millionths.
    pub share: u32,
    /// Copies that were sent.
    pub mirrored: u64,
    /// Calls that should have been copied and weren't.
    pub skipped: u64,
    /// Copies whose answer agreed with the real one.
    pub agreed: u64,
    /// Copies whose answer didn't.
    pub disagreed: u64,
}
