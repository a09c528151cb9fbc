use std::time::{Duration, SystemTime};

use super::controls::ControlState;
use super::fleet::FleetHealth;
use super::pool_figures::PoolFigures;
use crate::event::Drift;
use crate::terms::local_copy::{CopyState, LoadFailure, SnapshotProblem};
use crate::terms::{BreakerState, Credential, Status, TokenFailure, TokenState, Verdict};

/// The health of an integration.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// Its name.
    pub integration: String,
    /// Its status.
    pub status: Status,
    /// Since when it has this status, if known.
    pub since: Option<SystemTime>,
    /// Whether faults are being injected, so that errors may not come from the provider.
    pub is_injecting_faults: bool,
    /// The states of its controls.
    pub controls: Vec<ControlState>,
    /// Its circuit breaker; `None` if it has none, or one for each key.
    pub breaker: Option<BreakerHealth>,
    /// Its circuit breakers, if it has one for each key.
    pub keyed_breakers: Option<KeyedBreakersHealth>,
    /// Its bulkhead.
    pub bulkhead: BulkheadHealth,
    /// Its rate limit.
    pub rate_limit: RateLimitHealth,
    /// Its part of an account's rate, which it shares with other instances by a fleet (feature `fleet`); `None` if it
    /// shares none.
    pub share: Option<ShareHealth>,
    /// How many retries its budget allows now; `None` without a limit.
    pub retries_saved: Option<u32>,
    /// Its hedges (second requests).
    pub hedge: HedgeHealth,
    /// Its fallback; `None` if it has none.
    pub fallback: Option<FallbackHealth>,
    /// Its cache; `None` if it has none.
    pub cache: Option<CacheHealth>,
    /// Its mirror; `None` if it has none.
    pub mirror: Option<MirrorHealth>,
    /// Its connections; `None` if the client isn't its own.
    pub pool: Option<PoolFigures>,
    /// What its checks of answers rejected; `None` if it has none.
    pub validation: Option<ValidationHealth>,
    /// Its token; of those of several keys the one that is worst off. `None` if it has none.
    pub token: Option<TokenHealth>,
    /// Its lanes in outboxes that are registered with the [registry](super::Registry) that was asked; none if
    /// the integration was asked by itself.
    pub lanes: Vec<LaneHealth>,
    /// Its tokens, if it has one for each key.
    pub keyed_tokens: Option<KeyedTokensHealth>,
    /// The [local copies](crate::local_copy) of what it has.
    pub local_copies: Vec<LocalCopyHealth>,
    /// Its signatures; `None` if it signs nothing.
    pub signing: Option<SigningHealth>,
    /// The versions of the provider's API that it pins.
    pub pins: Vec<PinHealth>,
    /// What its answers showed of a change of the provider's API: dates first, the earliest first.
    pub drifts: Vec<Drift>,
    /// How this instance obeys its fleet; `None` without one, or if the integration was asked by itself.
    pub fleet: Option<FleetHealth>,
    /// When credentials expire, the earliest first: certificates, as far as its own client knows, and
    /// its token; of those of several keys the first that ends.
    pub expiries: Vec<Expiry>,
}

/// What users get in place of the provider's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackHealth {
    /// Its [label](crate::fallback::FallbackLayer::label), if it has one.
    pub label: Option<String>,
}

/// What checks of answers rejected since they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationHealth {
    /// Answers that a check rejected, those in report-only mode included.
    pub rejected: u64,
    /// Times that a check couldn't look at an answer.
    pub unchecked: u64,
    /// Answers of JSON, read by a check, in which an object had two members of one name.
    pub duplicates: u64,
    /// The last rejection.
    pub last_rejection: Option<LastRejection>,
}

/// An answer that a check rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastRejection {
    /// The check's name.
    pub check: &'static str,
    /// What it said.
    pub verdict: Verdict,
    /// The answer's status.
    pub status: u16,
    /// Where in the body, as a JSON pointer.
    pub pointer: Option<String>,
    /// When.
    pub at: SystemTime,
}

/// A token, and why the last fetch failed, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenHealth {
    /// The state.
    pub state: TokenState,
    /// Its number; 0 without any.
    pub generation: u64,
    /// What kind of failure it was.
    pub failure: Option<TokenFailure>,
    /// The failure as text.
    pub error: Option<String>,
}

impl TokenHealth {
    /// Whether calls fail for want of a token, or will: a fetch that may succeed by itself, while the
    /// token still lives, is no trouble.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.failure
            .is_some_and(|failure| !self.state.is_sent() || failure != TokenFailure::Transient)
    }
}

impl LocalCopyHealth {
    /// Whether people have to look at it: one load that failed is made good by the next.
    pub(crate) fn is_outdated(&self) -> bool {
        let is_fine = match self.state {
            CopyState::Empty => self.failure.is_none(),
            CopyState::Current => self.failure != Some(LoadFailure::Refused),
            CopyState::Late | CopyState::Expired => false,
        };
        !is_fine
    }
}

/// A lane of an outbox, as it was when it was counted last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneHealth {
    /// Its name.
    pub lane: String,
    /// The integration through which it delivers; `None` if its messages are only handled.
    pub integration: Option<String>,
    /// How many messages wait.
    pub ready: u64,
    /// How many are with a worker.
    pub leased: u64,
    /// How many are dead and wait for a person.
    pub dead: u64,
    /// When the oldest one was enqueued that waits or is with a worker.
    pub oldest_undelivered: Option<SystemTime>,
    /// Its pause, if it holds.
    pub paused: Option<LanePause>,
    /// When it was counted: every 15 s, while the outbox runs and its store answers.
    pub counted: SystemTime,
}

/// Why a lane delivers nothing at present.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LanePause {
    /// When it ends; `None` if a person has to end it.
    pub until: Option<SystemTime>,
    /// The person who paused it; `None` if a worker did, because the provider asked for it.
    pub who: Option<String>,
    /// Why.
    pub why: String,
}

/// The tokens of an integration that has one for each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedTokensHealth {
    /// How many keys have one at present, or wanted one.
    pub keys: usize,
    /// For how many of those calls fail for want of a token, or will unless somebody changes something:
    /// [`keyed_tokens`](crate::Integration::keyed_tokens) says which.
    pub failing: usize,
}

/// A local copy, and why its last load came to nothing, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalCopyHealth {
    /// Its name.
    pub name: &'static str,
    /// The state.
    pub state: CopyState,
    /// The time since the begin of the last load that succeeded; `None` if there is no copy yet.
    pub age: Option<Duration>,
    /// When that load began.
    pub last_success: Option<SystemTime>,
    /// How many entries it has.
    pub count: Option<u64>,
    /// Whether it was read from its snapshot, and no load has succeeded since.
    pub is_from_snapshot: bool,
    /// Why the last load came to nothing.
    pub failure: Option<LoadFailure>,
    /// The failure as text.
    pub error: Option<String>,
    /// What went wrong with the snapshot the last time.
    pub snapshot: Option<SnapshotProblem>,
}

/// How requests are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningHealth {
    /// How many seconds the provider's clock is ahead of ours, as its last refusal for that reason said;
    /// less than zero if it is behind. Requests are signed with its time.
    pub clock_ahead: i64,
    /// Why the last request could not be signed, if it couldn't.
    pub error: Option<String>,
}

/// A version of the provider's API that an integration pins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinHealth {
    /// The header or the parameter of the query that asks for it.
    pub name: String,
    /// The version.
    pub version: String,
    /// The version that the last answer had that told it.
    pub told: Option<String>,
    /// Whether that is another.
    pub differs: bool,
    /// Whether the version has a date that is more than a year ago: providers end versions.
    pub is_over_a_year_old: bool,
}

/// When a credential expires.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// The credential.
    pub credential: Credential,
    /// The host that presented it; `None` if it is ours.
    pub host: Option<String>,
    /// When it expires.
    pub at: SystemTime,
}

/// A circuit breaker's state and window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerHealth {
    /// The state.
    pub state: BreakerState,
    /// How long it hasn't been closed.
    pub open_for: Option<Duration>,
    /// Results in the window.
    pub calls: u32,
    /// Failures among them.
    pub failed: u32,
    /// Slow calls among them.
    pub slow: u32,
    /// Calls refused since it was made.
    pub rejected: u64,
    /// Calls whose callers left since it was made.
    pub abandoned: u64,
    /// Calls that wait until the provider answers again.
    pub held: usize,
    /// Whether it only reports, and refuses nothing.
    pub is_report_only: bool,
    /// Whether most instances of a fleet (feature `fleet`) found that nothing answers, so that fewer failures open it.
    pub is_hinted: bool,
}

/// The circuit breakers of an integration that has one for each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedBreakersHealth {
    /// How many keys have one at present.
    pub keys: usize,
    /// How many of those aren't closed:
    /// [`keyed_breakers`](crate::Integration::keyed_breakers) says which.
    pub open: usize,
}

/// A bulkhead's places and queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadHealth {
    /// How many places there are; `None` without a limit.
    pub limit: Option<u32>,
    /// How many are taken.
    pub in_use: u32,
    /// How many calls wait for a place.
    pub waiting: u32,
}

/// A rate limit's pace and queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitHealth {
    /// The time between two requests; `None` without a limit.
    pub interval: Option<Duration>,
    /// How long all calls are still paused.
    pub paused_for: Option<Duration>,
    /// How many calls wait for their turn.
    pub waiting: u32,
    /// Calls refused since it was made.
    pub rejected: u64,
}

/// A part of an account's rate. Rates are in requests a second.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShareHealth {
    /// The account.
    pub account: String,
    /// What this integration may use of its rate at present.
    pub rate: f64,
    /// What its calls asked for lately.
    pub demand: f64,
    /// Whether it has no lease: it hasn't had one yet, or the database has not been reached for as long
    /// as one lasts. Then it uses a hundredth of the account's rate, or less. Why it has none,
    /// [`FleetHealth::error`] says.
    pub has_ended: bool,
}

/// Counts of hedges (second requests).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeHealth {
    /// The delay before a second request; `None` if none is sent.
    pub delay: Option<Duration>,
    /// How many were sent.
    pub sent: u64,
    /// How many were answered before the first request.
    pub won: u64,
    /// How many were not sent because of the budget or the provider's state.
    pub skipped: u64,
}

/// What a cache has stored, and how it was used since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheHealth {
    /// URIs of which answers are stored.
    pub keys: u64,
    /// The bytes that they take.
    pub bytes: u64,
    /// Calls that were answered from what is stored and fresh.
    pub hits: u64,
    /// Calls that were given a stale answer.
    pub stale: u64,
    /// Calls that the provider answered.
    pub misses: u64,
    /// URIs whose last fetch has failed while a stored answer could be given, and that was within ten minutes.
    pub failing: u64,
}

/// Counts of a mirror's copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorHealth {
    /// The share of calls that is copied, in millionths.
    pub share: u32,
    /// Copies that were sent.
    pub mirrored: u64,
    /// Calls that should have been copied but weren't.
    pub skipped: u64,
    /// Copies whose answer agreed with the real one.
    pub agreed: u64,
    /// Copies whose answer didn't agree.
    pub disagreed: u64,
}
