use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::facts::{AttemptDetail, End};
use super::short_text::ShortText;
use crate::terms::local_copy::LocalCopyEvent;
use crate::terms::{
    BreakerState, CacheOutcome, Class, CloseCause, Delivery, DriftKind, GaveUp, InjectedFault,
    Phase, RedirectTo, Rejection, ReplaceCause, SourceProblem, SwitchMode, TokenFailure, Unchecked,
    Verdict,
};

/// Something that happened.
///
/// Durations of calls and attempts run to the end of the answer's body.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A caller began a call.
    CallStarted,
    /// A call has ended, body included.
    CallFinished {
        /// How it ended.
        end: End,
        /// From its start.
        elapsed: Duration,
        /// How many requests it sent.
        attempts: u32,
    },
    /// A request is sent.
    AttemptStarted,
    /// The head of an answer has arrived.
    AttemptAnswered {
        /// Its class.
        class: Class,
        /// Its status.
        status: StatusCode,
        /// From the attempt's start.
        elapsed: Duration,
    },
    /// A request has ended, its answer's body included.
    AttemptFinished {
        /// How it ended.
        end: End,
        /// From its start.
        elapsed: Duration,
        /// Its times, and how much was sent and received.
        detail: AttemptDetail,
    },
    /// An invalid correlation id from outside was replaced.
    CorrelationReplaced,
    /// Another attempt will follow.
    RetryScheduled {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// The kind of failure.
        class: Class,
        /// The delay until the next attempt.
        delay: Duration,
    },
    /// A retry waits until the budget allows it. This is emitted once for each wait, which ends
    /// with `RetryScheduled` or `RetryGaveUp`.
    RetryAwaitsBudget {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// The kind of failure.
        class: Class,
    },
    /// A failure is final.
    RetryGaveUp {
        /// The number of attempts made.
        attempts: u32,
        /// The kind of the last failure.
        class: Class,
        /// Why there is no other attempt.
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
    /// A call that waited for the provider is sent, as a probe or because the provider answers
    /// again.
    BreakerReleased {
        /// How long it waited.
        waited: Duration,
    },
    /// All places of a bulkhead are taken, and the call waits for one.
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
    /// The integration's own client made a connection.
    ConnectionOpened,
    /// A connection of the integration's own client was closed.
    ConnectionClosed {
        /// What closed it.
        cause: CloseCause,
        /// How long it was open.
        lived: Duration,
    },
    /// The integration's own client follows a redirect, within the same attempt.
    Redirected {
        /// The status of the answer that redirects.
        status: StatusCode,
        /// Whether it leads to another origin.
        to_origin: RedirectTo,
        /// How many were followed for this request, this one included.
        hops: u32,
    },
    /// A rotating client should be replaced.
    ClientReplaced {
        /// Why.
        cause: ReplaceCause,
        /// Whether it was replaced. If not, making a new one failed, and the old one is kept for
        /// now.
        replaced: bool,
    },
    /// A time limit passed.
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
    /// The source of a kill switch can't be read. The switch keeps its mode.
    KillSwitchSourceFailed {
        /// What is wrong with it.
        problem: SourceProblem,
        /// Whether this matters. A file that has never existed doesn't, while the switch is on.
        matters: bool,
    },
    /// A cache answered a call, or let it pass.
    CacheAnswered {
        /// What it did.
        outcome: CacheOutcome,
        /// How old the stored answer was that it gave.
        age: Option<Duration>,
    },
    /// A background refresh of a stored answer has ended.
    CacheRefreshed {
        /// Whether the provider answered.
        ok: bool,
    },
    /// A fallback answered in the provider's place.
    FellBack {
        /// The kind of failure.
        class: Class,
        /// Whether the provider may have acted.
        delivery: Delivery,
    },
    /// A fallback was asked and had no answer.
    FallbackFailed {
        /// The kind of failure, which the caller gets.
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
        /// After which time it could be sent.
        retry_after: Option<Duration>,
    },
    /// The provider asked for a pause of all requests.
    RateLimitPaused {
        /// For how long.
        pause: Duration,
    },
    /// The rate has changed: as the provider said, or as its refusals suggest.
    RateLimitChanged {
        /// The time between two requests; `None` without a limit.
        interval: Option<Duration>,
    },
    /// A second request is sent beside a slow one.
    HedgeSent {
        /// How long the first had taken by then.
        after: Duration,
    },
    /// A second request would have been sent, but for a reason wasn't.
    HedgeSkipped {
        /// The reason.
        why: GaveUp,
    },
    /// A call with a second request has ended.
    HedgeFinished {
        /// Whether the second request's answer is the call's result.
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
        /// The class of the copy's answer or error.
        class: Class,
        /// How long it took, body included.
        elapsed: Duration,
        /// Whether it agrees with the real answer, if both were compared.
        agrees: Option<bool>,
    },
    /// A call was not copied, because too many copies are running, or its body is a stream.
    MirrorSkipped,
    /// Fault injection was started, changed or stopped.
    FaultInjectionChanged {
        /// Whether faults are injected from now on.
        on: bool,
    },
    /// A fault was injected. The failure that follows is not the provider's.
    FaultInjected {
        /// Which.
        fault: InjectedFault,
    },
    /// There is another token, or the present one lives longer.
    TokenRefreshed {
        /// Its number; the first is 1.
        generation: u64,
        /// How long it lives, if that is known.
        lifetime: Option<Duration>,
        /// How long the fetch took.
        elapsed: Duration,
    },
    /// A token could not be fetched.
    TokenRefreshFailed {
        /// Whether a later fetch may succeed by itself, or somebody has to change something.
        failure: TokenFailure,
        /// How long the fetch took.
        elapsed: Duration,
        /// After which time it is tried again at the earliest.
        retry_in: Duration,
        /// How long the present token is still sent; `None` if there is none, or it has no known end.
        served_for: Option<Duration>,
    },
    /// An attempt was sent with a token that has ended, because the issuer is down.
    TokenServedExpired {
        /// Its number.
        generation: u64,
        /// How long ago it ended.
        ended_for: Duration,
    },
    /// There was no token to send, and the issuer gave none: an attempt was refused here.
    TokenMissing,
    /// The provider refused the token of an attempt.
    TokenRefused {
        /// Its number.
        generation: u64,
        /// Whether there is another one, or one is being fetched. If not, the token was new, or a
        /// fetch failed a moment ago, and the caller gets the answer.
        may_repeat: bool,
    },
    /// An attempt was signed.
    Signed {
        /// The name of the key, if the signer said it.
        key_id: Option<ShortText>,
    },
    /// An attempt could not be signed, and was refused here.
    SigningFailed,
    /// The provider refused an attempt because its clock is another.
    ClockSkewed {
        /// How many seconds it is ahead of ours; less than zero if it is behind.
        ahead: i64,
        /// Whether attempts are signed with its time from now on. If not, it is more than a day off, which
        /// is not believed.
        may_repeat: bool,
    },
    /// A check found nothing wrong with an answer.
    AnswerPassed {
        /// The check's name.
        check: &'static str,
        /// Whether the provider did only a part of what was asked.
        partial: bool,
    },
    /// A check rejected an answer.
    AnswerRejected {
        /// The check's name.
        check: &'static str,
        /// What it said.
        verdict: Verdict,
        /// Whether it acted. If not, it only tells, and the answer passed.
        enforced: bool,
    },
    /// A check couldn't look at an answer.
    AnswerUnchecked {
        /// The check's name.
        check: &'static str,
        /// Why.
        why: Unchecked,
    },
    /// A request had another version of the provider's API than the pinned one: its caller's wins. This is
    /// emitted once for each pin.
    PinOverridden {
        /// The header or the parameter of the query that asks for it.
        pin: ShortText,
    },
    /// An answer had another version of the provider's API than was asked for. This is emitted once for each
    /// version, 16 at most.
    PinDiffers {
        /// The header or the parameter of the query that asks for it.
        pin: ShortText,
        /// The version that the answer had.
        version: ShortText,
    },
    /// An answer shows that the provider's API changes. This is emitted once for each endpoint and
    /// kind, and again after a day, or when it says something else. The whole of it is
    /// [`Origin::drift`](super::Origin::drift).
    DriftNoticed {
        /// What it is.
        kind: DriftKind,
        /// From when on the endpoint is deprecated or gone, if that was said.
        at: Option<SystemTime>,
    },
    /// Other settings were applied.
    SettingsApplied,
    /// Something happened to a [local copy](crate::local_copy) of something at the integration.
    LocalCopy {
        /// The copy's name.
        copy: &'static str,
        /// What.
        event: LocalCopyEvent,
    },
    /// Something happened to a message that an [outbox](crate::outbox) delivers by the integration.
    #[cfg(feature = "outbox")]
    Outbox(crate::terms::outbox::OutboxEvent),
    /// Somebody did something on the [console](crate::console), or had no right to. It is told to the registry's
    /// subscribers, as of the integration or the lane, if this process has it.
    #[cfg(feature = "console")]
    ConsoleActed {
        /// By which right.
        right: crate::terms::Right,
        /// What it came to.
        outcome: crate::terms::ActOutcome,
    },
    /// An act on the [console](crate::console) was refused before it was known by which right it is done. It is told
    /// to the registry's subscribers, of no integration.
    #[cfg(feature = "console")]
    ConsoleRefused {
        /// Why.
        why: crate::terms::ActRefusal,
    },
    /// Something happened between this instance and its [fleet](crate::fleet).
    #[cfg(feature = "fleet")]
    Fleet(crate::terms::fleet::FleetEvent),
}
