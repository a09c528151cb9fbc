use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Extensions, HeaderMap, HeaderValue, StatusCode};

use super::attempt_state::AttemptState;
use super::call::Call;
use super::ids::{CallId, CorrelationId};
use super::stop::Stopped;
use super::target::CallTarget;
use super::trace::{SpanId, TraceContext};
use crate::rt::{self, Rng};

/// One call's facts, in its requests' extensions.
///
/// Clones share the facts of the call: all layers read what one layer writes. The attempt's number
/// belongs to one request, and the count of requests sent before to one layer.
#[derive(Clone)]
pub struct Context {
    state: Arc<AttemptState>,
    attempt: u32,
    /// The attempt's span, if the call belongs to a trace.
    span: Option<SpanId>,
    /// Requests of the call that were handed over before the layer that holds this was called.
    before: u32,
}

impl Context {
    /// The request's context. Makes one if it has none.
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

    /// The id that connects the call with what caused it.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.call().correlation.get()
    }

    /// Which attempt this request is; the first is 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the call must have ended.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.call().deadline()
    }

    /// The latest start that leaves the time of one attempt before the deadline, or half of the
    /// remaining time if that is less. A later attempt would be cut while the provider may act on
    /// it.
    pub(crate) fn latest_start(&self, now: Instant, attempt: Option<Duration>) -> Option<Instant> {
        let deadline = self.deadline()?;
        let half = deadline.saturating_duration_since(now) / 2;
        Some(deadline - attempt.map_or(half, |limit| limit.min(half)))
    }

    /// The idempotency key, the same on every attempt. A provider that honours keys recognises the
    /// call by it.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&HeaderValue> {
        self.call().key.get().map(|key| &key.value)
    }

    /// The integration that the call goes to.
    #[must_use]
    pub fn integration(&self) -> Option<&str> {
        self.call().integration.as_deref()
    }

    /// The trace that the call belongs to, if there is one.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.call().trace.get()
    }

    /// This attempt's span, if the call belongs to a trace.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        self.span
    }

    /// Continues the call's trace on a request, with a new span for this attempt.
    pub(crate) fn continue_trace(&mut self, headers: &mut HeaderMap, rng: &Rng) {
        if let Some(trace) = self.call().trace.get() {
            let span = SpanId::mint(rng);
            trace.write(span, headers);
            self.span = Some(span);
        }
    }

    /// The call's method and host; known if there are subscribers to events.
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

    /// The status of the provider's last answer, of any attempt.
    #[must_use]
    pub fn last_status(&self) -> Option<StatusCode> {
        self.call().last_status()
    }

    /// Whether a limit cut the running attempt.
    ///
    /// A transport whose call is dropped learns from this whether the provider may be dead, and its
    /// connection should be closed, or whether the caller left.
    #[must_use]
    pub fn was_cut(&self) -> bool {
        self.state().is_cut()
    }

    /// Attempts sent so far, if a retry layer counts them.
    pub(crate) fn attempts_counted(&self) -> Option<u32> {
        self.state().attempts()
    }

    /// The context of a new call, if possible in the memory of an ended one.
    pub(crate) fn fresh(spare: Option<Arc<AttemptState>>, integration: Option<&Arc<str>>) -> Self {
        Self::made_at(rt::now(), spare, integration.cloned())
    }

    /// The same, for a call that was made at this time.
    #[inline]
    pub(crate) fn made_at(
        started: Instant,
        spare: Option<Arc<AttemptState>>,
        integration: Option<Arc<str>>,
    ) -> Self {
        let state = AttemptState::begin(spare, Call::new(started, integration));
        Self { state, attempt: 1, span: None, before: 0 }
    }

    /// The context of a call that was answered with this status, and for which nothing was sent.
    pub(crate) fn answered_here(
        started: Instant,
        integration: Option<&Arc<str>>,
        status: StatusCode,
    ) -> Self {
        let context = Self::made_at(started, None, integration.cloned());
        context.call().count_attempts(0);
        context.call().answered(status);
        context
    }

    /// The same, for a call that another call's attempt has caused: its requests also count for
    /// that one.
    pub(crate) fn caused_by(mut self, cause: Option<Self>) -> Self {
        if let Some(cause) = cause {
            AttemptState::set_outer(&mut self.state, cause.state);
        }
        self
    }

    /// The same call's context for a part of it that runs in a task of its own, for others too: it has the
    /// ids, and not the stops. If the call has a deadline, it has that of a call that begins now, if that is
    /// later.
    pub(crate) fn detached(&self, limit: Option<Duration>) -> Self {
        let now = rt::now();
        let call = self.call().detached(now);
        if let Some(deadline) = self.deadline() {
            call.end_by(limit.map_or(deadline, |limit| rt::after(now, limit).max(deadline)));
        }
        let state = Arc::new(AttemptState::new(Arc::new(call)));
        Self { state, attempt: 1, span: self.span, before: 0 }
    }

    /// Whether another call's attempt caused it.
    pub(crate) fn is_nested(&self) -> bool {
        self.state.is_nested()
    }

    /// Whether it belongs to this attempt, or to one inside of it.
    pub(crate) fn is_inside(&self, outer: &Self) -> bool {
        self.state.is_inside(&outer.state)
    }

    /// The same call's context for layers inside of the one that put this on the request.
    pub(crate) fn inside(self, spare: Option<Arc<AttemptState>>, now: Instant) -> Self {
        let state = AttemptState::inside(spare, &self.state);
        state.begin_attempt(now);
        Self { state, attempt: self.attempt, span: self.span, before: 0 }
    }

    /// The same call's context between two attempts, while nothing is sent.
    pub(crate) fn between_attempts(self) -> Self {
        let state = AttemptState::next(self.state);
        state.leave_queue();
        state.hold();
        Self { state, before: 0, ..self }
    }

    /// The same call's context for its next attempt, number `attempt`.
    pub(crate) fn next_attempt(self, attempt: u32, now: Instant) -> Self {
        let state = AttemptState::next(self.state);
        state.begin_attempt(now);
        state.end_hold();
        state.enter_queue();
        Self { state, attempt, span: self.span, before: 0 }
    }

    /// The same call's context for a second request beside this one, number `attempt`.
    pub(crate) fn second(&self, attempt: u32, now: Instant) -> Self {
        let state = Arc::new(AttemptState::beside(&self.state));
        state.begin_attempt(now);
        state.enter_queue();
        Self { state, attempt, span: self.span, before: 0 }
    }

    /// Its memory, if nobody else uses it.
    pub(crate) fn into_spare(self) -> Option<Arc<AttemptState>> {
        AttemptState::into_spare(self.state)
    }

    /// The reason to end the call, if somebody has stopped it. To be asked after each wait.
    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.call().stops().find_map(|stop| stop.refusal(self))
    }

    /// The same call, counting only requests from now on: for a layer that is called, or that sends
    /// another attempt.
    pub(crate) fn begun_now(mut self) -> Self {
        self.before = self.state().handed_over();
        self
    }

    /// Requests since then that the provider may have acted on.
    ///
    /// A layer that sends several requests needs this: how the last one ended says nothing about
    /// the earlier ones.
    pub(crate) fn handed_over(&self) -> u32 {
        self.state().handed_over().saturating_sub(self.before)
    }

    pub(crate) fn is_same_call(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.state.call(), other.state.call())
    }

    pub(crate) fn call(&self) -> &Call {
        self.state.call()
    }

    /// The attempt's state.
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
