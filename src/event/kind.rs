use std::time::Duration;

use http::StatusCode;

use super::facts::{AttemptDetail, End};
use crate::terms::{
    BreakerState, Class, CloseCause, Delivery, GaveUp, InjectedFault, Phase, Rejection,
    ReplaceCause, SourceProblem, SwitchMode,
};

/// Something that happened.
///
/// Durations of calls and attempts run to the end of the answer's body.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A caller began a call.
    CallStarted,
    /// A call is over, body included.
    CallFinished {
        /// How it ended.
        end: End,
        /// From its start.
        elapsed: Duration,
        /// How many requests went out for it.
        attempts: u32,
    },
    /// One request goes out.
    AttemptStarted,
    /// The head of an answer is here.
    AttemptAnswered {
        /// What it means.
        class: Class,
        /// Its status.
        status: StatusCode,
        /// From the attempt's start.
        elapsed: Duration,
    },
    /// One request is over, its answer's body included.
    AttemptFinished {
        /// How it ended.
        end: End,
        /// From its start.
        elapsed: Duration,
        /// Where the time went, and how much was sent and received.
        detail: AttemptDetail,
    },
    /// An id from outside was not fit to be sent on and was replaced.
    CorrelationReplaced,
    /// Another attempt will follow.
    RetryScheduled {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// What it failed of.
        class: Class,
        /// How long until the next.
        delay: Duration,
    },
    /// A retry waits until the budget holds one; told once, however long it is. It is scheduled or given
    /// up in the end.
    RetryAwaitsBudget {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// What it failed of.
        class: Class,
    },
    /// A failure is final.
    RetryGaveUp {
        /// The attempts that were made.
        attempts: u32,
        /// What the last failed of.
        class: Class,
        /// Why there is no other.
        why: GaveUp,
    },
    /// A circuit breaker changed its state.
    BreakerChanged {
        /// What it was.
        from: BreakerState,
        /// What it is now.
        to: BreakerState,
    },
    /// A circuit breaker refused a call.
    BreakerRejected,
    /// A circuit breaker in report-only mode would have refused a call.
    BreakerWouldReject,
    /// A call waits until the provider answers again.
    BreakerHeld,
    /// A call that waited for the provider to answer goes out, as a probe or because it is back.
    BreakerReleased {
        /// How long it waited.
        waited: Duration,
    },
    /// All places are taken and the call waits for one.
    BulkheadQueued,
    /// A call that waited for a place has it.
    BulkheadAdmitted {
        /// How long it waited.
        waited: Duration,
    },
    /// A bulkhead refused a call.
    BulkheadRejected {
        /// Why.
        why: Rejection,
    },
    /// The own client made a connection.
    ConnectionOpened,
    /// A connection of the own client was closed.
    ConnectionClosed {
        /// What closed it.
        cause: CloseCause,
        /// For how long it was open.
        lived: Duration,
    },
    /// A rotating client should be replaced.
    ClientReplaced {
        /// Why.
        cause: ReplaceCause,
        /// It was; if not, another could not be made, and it stays a while longer.
        replaced: bool,
    },
    /// A limit in clock time passed.
    TimedOut {
        /// Which.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// Somebody moved a kill switch.
    KillSwitchChanged {
        /// Where it stood.
        from: SwitchMode,
        /// Where it stands now.
        to: SwitchMode,
    },
    /// A kill switch refused a call, at once or after a wait.
    KillSwitchRejected {
        /// Where it stood.
        mode: SwitchMode,
    },
    /// What moves a kill switch can't be read: the switch stays where it is.
    KillSwitchSourceFailed {
        /// What is wrong with it.
        problem: SourceProblem,
        /// It should be there: not so one that never was, while the switch lets everything through.
        matters: bool,
    },
    /// A fallback answered in the provider's place.
    FellBack {
        /// What the call failed of.
        class: Class,
        /// Whether the provider may have acted all the same.
        delivery: Delivery,
    },
    /// A fallback was asked and had no answer.
    FallbackFailed {
        /// What the call failed of, and still does.
        class: Class,
    },
    /// A call waits for its turn under a rate limit.
    RateLimitQueued {
        /// For about how long.
        wait: Duration,
    },
    /// A call that waited for its turn has it.
    RateLimitReleased {
        /// How long it waited.
        waited: Duration,
    },
    /// A rate limit refused a call.
    RateLimitRejected {
        /// When it could come back.
        retry_after: Option<Duration>,
    },
    /// The provider asked everybody to stop for a while.
    RateLimitPaused {
        /// For how long.
        pause: Duration,
    },
    /// The rate is another one: the provider's word, or what was concluded from its refusals.
    RateLimitChanged {
        /// The time between two requests; `None` where nothing limits them any more.
        interval: Option<Duration>,
    },
    /// A second request goes out beside one that is slow.
    HedgeSent {
        /// How long the first had taken by then.
        after: Duration,
    },
    /// A second request would have gone out.
    HedgeSkipped {
        /// Why it didn't.
        why: GaveUp,
    },
    /// A call that had a second request is over.
    HedgeFinished {
        /// The second's answer is the call's result.
        won: bool,
    },
    /// An adaptive bulkhead has another number of places.
    ConcurrencyChanged {
        /// How many there were.
        from: u32,
        /// How many there are.
        to: u32,
    },
    /// A copy of a call was answered by another integration.
    Mirrored {
        /// What the copy came to.
        class: Class,
        /// How long it took, body included.
        elapsed: Duration,
        /// Whether it agrees with the real answer, where both were compared.
        agrees: Option<bool>,
    },
    /// A call that should have been copied wasn't: too many copies are under way, or its body is a
    /// stream.
    MirrorSkipped,
    /// A rehearsal began, changed or ended.
    RehearsalChanged {
        /// Faults are injected from now on.
        on: bool,
    },
    /// A rehearsal injected a fault. The provider is not to blame for what follows.
    Rehearsed {
        /// Which.
        fault: InjectedFault,
    },
    /// The settings are others.
    SettingsApplied,
}
