use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Extensions, HeaderMap, HeaderValue, StatusCode};

use super::attempt_state::AttemptState;
use super::call::Call;
use super::gate::Stopped;
use super::ids::{CallId, CorrelationId};
use super::target::CallTarget;
use super::trace::{SpanId, TraceContext};
use crate::rt::{self, Rng};

/// One call's facts, in its requests' extensions.
///
/// Clones are of the same call: what one layer writes, every other reads. Only the attempt's number
/// belongs to the request that carries it, and what had gone out before to the layer that looked.
#[derive(Clone)]
pub struct Context {
    state: Arc<AttemptState>,
    attempt: u32,
    /// The attempt's span, where the call belongs to a trace.
    span: Option<SpanId>,
    /// Requests of the call that had been handed over when the layer that holds this was called.
    before: u32,
}

impl Context {
    /// The request's context; made now if it has none.
    pub(crate) fn of(extensions: &mut Extensions, integration: Option<&Arc<str>>) -> Self {
        match extensions.get::<Self>() {
            Some(context) => context.clone().begun_now(),
            None => {
                let context = Self::fresh(None, integration);
                extensions.insert(context.clone());
                context
            }
        }
    }

    /// The call's id, new for each call.
    #[must_use]
    pub fn call_id(&self) -> CallId {
        self.call().id()
    }

    /// The id that ties the call to what caused it.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.call().correlation.get()
    }

    /// Which attempt this request is; the first is 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the call must be over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.call().deadline()
    }

    /// The latest that an attempt may begin, of which one takes so long at most: later than that, it
    /// could only be cut, when it may have happened. At most half of the time is kept free for it.
    pub(crate) fn latest_start(&self, now: Instant, attempt: Option<Duration>) -> Option<Instant> {
        let deadline = self.deadline()?;
        let half = deadline.saturating_duration_since(now) / 2;
        Some(deadline - attempt.map_or(half, |limit| limit.min(half)))
    }

    /// The key that is sent, the same on every attempt. The provider knows the call by it if it honours
    /// keys.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&HeaderValue> {
        self.call().key.get().map(|key| &key.value)
    }

    /// The integration that the call goes to.
    #[must_use]
    pub fn integration(&self) -> Option<&str> {
        self.call().integration.as_deref()
    }

    /// The trace that the call belongs to, if it belongs to one.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.call().trace.get()
    }

    /// The span under which this attempt is sent, where the call belongs to a trace.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        self.span
    }

    /// Continues the call's trace on a request, under a new span that is this attempt's.
    pub(crate) fn continue_trace(&mut self, headers: &mut HeaderMap, rng: &Rng) {
        if let Some(trace) = self.call().trace.get() {
            let span = SpanId::mint(rng);
            trace.write(span, headers);
            self.span = Some(span);
        }
    }

    /// What the call asks, and of whom; known where somebody listens to events.
    #[must_use]
    pub fn target(&self) -> Option<&CallTarget> {
        self.call().target.get()
    }

    /// When the call began.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.call().started
    }

    /// How long the call has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        rt::now().saturating_duration_since(self.started())
    }

    /// The last status that the provider answered, on whichever attempt.
    #[must_use]
    pub fn last_status(&self) -> Option<StatusCode> {
        self.call().last_status()
    }

    /// Whether a limit cut the attempt that is under way.
    ///
    /// A transport whose call is dropped can tell a provider that may be dead from a caller who went
    /// away, and give up on a connection.
    #[must_use]
    pub fn was_cut(&self) -> bool {
        self.state().is_cut()
    }

    /// Attempts sent so far, where a retry layer counts them.
    pub(crate) fn attempts_counted(&self) -> Option<u32> {
        self.state().attempts()
    }

    /// A new call's, perhaps in the room of another's.
    pub(crate) fn fresh(spare: Option<Arc<AttemptState>>, integration: Option<&Arc<str>>) -> Self {
        let call = Call::new(rt::now(), integration.cloned());
        let state = AttemptState::begin(spare, call);
        Self { state, attempt: 1, span: None, before: 0 }
    }

    /// The same, of a call that another one's attempt stands around: what goes out for it, goes out for
    /// that one, too.
    pub(crate) fn caused_by(mut self, cause: Option<Self>) -> Self {
        if let Some(cause) = cause {
            AttemptState::set_outer(&mut self.state, cause.state);
        }
        self
    }

    /// Whether it is of this attempt, or of one that stands inside of it.
    pub(crate) fn is_inside(&self, outer: &Self) -> bool {
        self.state.is_inside(&outer.state)
    }

    /// The same call's, for who stands further in than this one was put on the request.
    pub(crate) fn inside(self, spare: Option<Arc<AttemptState>>, now: Instant) -> Self {
        let state = AttemptState::inside(spare, &self.state);
        state.begin_attempt(now);
        Self { state, attempt: self.attempt, span: self.span, before: 0 }
    }

    /// The same call's between two attempts: nothing is on its way.
    pub(crate) fn between_attempts(self) -> Self {
        let state = AttemptState::next(self.state);
        state.set_queued(false);
        state.set_held(true);
        Self { state, before: 0, ..self }
    }

    /// The same call's next attempt, numbered `attempt`.
    pub(crate) fn next_attempt(self, attempt: u32, now: Instant) -> Self {
        let state = AttemptState::next(self.state);
        state.begin_attempt(now);
        state.set_held(false);
        state.set_queued(true);
        Self { state, attempt, span: self.span, before: 0 }
    }

    /// The same call's for a second request beside this one, numbered `attempt`.
    pub(crate) fn second(&self, attempt: u32, now: Instant) -> Self {
        let state = Arc::new(AttemptState::beside(&self.state));
        state.begin_attempt(now);
        state.set_queued(true);
        Self { state, attempt, span: self.span, before: 0 }
    }

    /// Its room, if nobody else has it.
    pub(crate) fn into_spare(self) -> Option<Arc<AttemptState>> {
        AttemptState::into_spare(self.state)
    }

    /// Why nothing more may be sent for the call, if it may not; asked after each wait. The call must
    /// end by it.
    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.call().gates().find_map(|gate| gate.refusal(self))
    }

    /// The same call, of which only what goes out from now on counts: a layer is called, or sends
    /// another attempt.
    pub(crate) fn begun_now(mut self) -> Self {
        self.before = self.state().handed_over();
        self
    }

    /// Requests that went out since, and that the provider may have acted on.
    ///
    /// Who holds a call to one request and more needs this: the last one's end says nothing of those
    /// before it.
    pub(crate) fn handed_over(&self) -> u32 {
        self.state().handed_over().saturating_sub(self.before)
    }

    pub(crate) fn is_same_call(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.state.call(), other.state.call())
    }

    pub(crate) fn call(&self) -> &Call {
        self.state.call()
    }

    /// What is known of the attempt.
    pub(crate) fn state(&self) -> &AttemptState {
        &self.state
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("call_id", &self.call_id())
            .field("correlation_id", &self.correlation_id())
            .field("integration", &self.integration())
            .field("attempt", &self.attempt)
            .finish()
    }
}
