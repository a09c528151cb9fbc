use std::future::Future;
use std::sync::Arc;

use super::at_once::{Unbegun, WholeAnswer};
use super::attempt::Attempt;
use super::call::Call;
use super::either::OneOf;
use super::wire::Wire;
use crate::outcome::Error;

/// How a call's code ended. `Ok`: there was an answer, and its body has ended.
pub type Flow = Result<(), Error>;

/// One pattern, written once: the code around a call, from before it is sent to the end of its
/// answer's body.
///
/// Its local variables are dropped when the call ends, in any way: by the end of the body, an
/// error, a limit, or a caller who left. See the [module](super).
pub trait Pattern: Send + Sync + 'static {
    /// As a layer: whether the call waits for the inner service, instead of `poll_ready`.
    ///
    /// For a pattern that has to limit that wait too.
    const READIES_IN_CALL: bool = false;

    /// As a layer: whether the call's facts are put into the request's extensions, for inner
    /// layers.
    ///
    /// It costs three allocations, or none if an outer layer has put them there. Without it, inner
    /// layers know only what outer layers have put there, and nobody counts the requests that were
    /// sent: an error's delivery is taken as it is, although it may be the last of several steps.
    const TELLS: bool = true;

    /// The code around a call.
    ///
    /// It must not spawn tasks, nor hold a lock over an `.await`. It waits by [`Call::until`], so
    /// that a call needs only one timer.
    fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> impl Future<Output = Flow> + Send;

    /// The same for this one pattern: an empty one tells nothing.
    #[doc(hidden)]
    fn tells(&self) -> bool {
        Self::TELLS
    }

    /// Whether a call would be sent now. If not, a layer is ready without asking the inner service.
    fn may_send(&self) -> bool {
        true
    }

    /// Called when a call is made, before it is polled. Reads the caller's surroundings: its scope,
    /// its span.
    #[doc(hidden)]
    fn begin<W: Wire>(&self, _: &Attempt<W>) {}

    /// The name of the integration, if the pattern knows it.
    #[doc(hidden)]
    fn integration(&self) -> Option<&Arc<str>> {
        None
    }

    /// Whether a call may be answered before it has a context, here or, as `next` says, further in. Then
    /// [`begin`](Self::begin) is called when it is first polled.
    #[doc(hidden)]
    fn may_answer_at_once(&self, _next: bool) -> bool {
        false
    }

    /// The answer to a call, if it is in memory, here or further in. If not, the call's code is run.
    #[doc(hidden)]
    fn answer_at_once(
        &self,
        _: &mut Unbegun<'_>,
        _next: impl FnOnce(&mut Unbegun<'_>) -> Option<WholeAnswer>,
    ) -> Option<WholeAnswer> {
        None
    }
}

/// The inner patterns and the service. They may be run again, and twice at a time.
pub trait Next<W: Wire>: Send + Sync {
    /// Sends the attempt's request, and runs to the end of its answer's body.
    fn run(&self, call: &Call, attempt: &Attempt<W>) -> impl Future<Output = Flow> + Send;

    /// See [`Pattern::begin`].
    #[doc(hidden)]
    fn begin(&self, _: &Attempt<W>) {}

    /// Drops the service instance that was kept ready for the call, because the call has ended or
    /// waits.
    #[doc(hidden)]
    fn release(&self) {}

    /// See [`Pattern::may_answer_at_once`].
    #[doc(hidden)]
    fn may_answer_at_once(&self) -> bool {
        false
    }

    /// See [`Pattern::answer_at_once`].
    #[doc(hidden)]
    fn answer_at_once(&self, _: &mut Unbegun<'_>) -> Option<WholeAnswer> {
        None
    }
}

/// A pattern around inner ones.
#[derive(Clone, Debug)]
pub struct Around<P, N> {
    pattern: P,
    next: N,
}

impl<P, N> Around<P, N> {
    /// Puts `pattern` around `next`.
    pub fn new(pattern: P, next: N) -> Self {
        Self { pattern, next }
    }
}

impl<W: Wire, P: Pattern, N: Next<W>> Next<W> for Around<P, N> {
    #[inline]
    fn run(&self, call: &Call, attempt: &Attempt<W>) -> impl Future<Output = Flow> + Send {
        self.pattern.around(call, attempt, &self.next)
    }

    fn begin(&self, attempt: &Attempt<W>) {
        self.pattern.begin(attempt);
        self.next.begin(attempt);
    }

    fn release(&self) {
        self.next.release();
    }

    fn may_answer_at_once(&self) -> bool {
        self.pattern.may_answer_at_once(self.next.may_answer_at_once())
    }

    fn answer_at_once(&self, call: &mut Unbegun<'_>) -> Option<WholeAnswer> {
        self.pattern.answer_at_once(call, |call| self.next.answer_at_once(call))
    }
}

/// A pattern that an integration shares with its handles.
impl<P: Pattern> Pattern for Arc<P> {
    const READIES_IN_CALL: bool = P::READIES_IN_CALL;
    const TELLS: bool = P::TELLS;

    #[inline]
    fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> impl Future<Output = Flow> + Send {
        P::around(self, call, attempt, next)
    }

    fn tells(&self) -> bool {
        P::tells(self)
    }

    fn may_send(&self) -> bool {
        P::may_send(self)
    }

    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        P::begin(self, attempt);
    }

    fn integration(&self) -> Option<&Arc<str>> {
        P::integration(self)
    }

    fn may_answer_at_once(&self, next: bool) -> bool {
        P::may_answer_at_once(self, next)
    }

    fn answer_at_once(
        &self,
        call: &mut Unbegun<'_>,
        next: impl FnOnce(&mut Unbegun<'_>) -> Option<WholeAnswer>,
    ) -> Option<WholeAnswer> {
        P::answer_at_once(self, call, next)
    }
}

/// A slot that may be empty.
impl<P: Pattern> Pattern for Option<P> {
    const READIES_IN_CALL: bool = P::READIES_IN_CALL;
    const TELLS: bool = P::TELLS;

    #[inline]
    fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> impl Future<Output = Flow> + Send {
        match self {
            Some(pattern) => OneOf::First { future: pattern.around(call, attempt, next) },
            None => OneOf::Second { future: next.run(call, attempt) },
        }
    }

    fn tells(&self) -> bool {
        self.as_ref().is_some_and(P::tells)
    }

    fn may_send(&self) -> bool {
        self.as_ref().is_none_or(P::may_send)
    }

    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        if let Some(pattern) = self {
            pattern.begin(attempt);
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.as_ref()?.integration()
    }

    fn may_answer_at_once(&self, next: bool) -> bool {
        self.as_ref().map_or(next, |pattern| pattern.may_answer_at_once(next))
    }

    fn answer_at_once(
        &self,
        call: &mut Unbegun<'_>,
        next: impl FnOnce(&mut Unbegun<'_>) -> Option<WholeAnswer>,
    ) -> Option<WholeAnswer> {
        match self {
            Some(pattern) => pattern.answer_at_once(call, next),
            None => next(call),
        }
    }
}

/// Two patterns as one, the first around the second.
impl<A: Pattern, B: Pattern> Pattern for (A, B) {
    const READIES_IN_CALL: bool = A::READIES_IN_CALL || B::READIES_IN_CALL;
    const TELLS: bool = A::TELLS || B::TELLS;

    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        self.0.around(call, attempt, &Inside { pattern: &self.1, next }).await
    }

    fn tells(&self) -> bool {
        self.0.tells() || self.1.tells()
    }

    fn may_send(&self) -> bool {
        self.0.may_send() && self.1.may_send()
    }

    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        self.0.begin(attempt);
        self.1.begin(attempt);
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.0.integration().or_else(|| self.1.integration())
    }
}

struct Inside<'a, P, N> {
    pattern: &'a P,
    next: &'a N,
}

impl<W: Wire, P: Pattern, N: Next<W>> Next<W> for Inside<'_, P, N> {
    fn run(&self, call: &Call, attempt: &Attempt<W>) -> impl Future<Output = Flow> + Send {
        self.pattern.around(call, attempt, self.next)
    }

    fn release(&self) {
        self.next.release();
    }
}
