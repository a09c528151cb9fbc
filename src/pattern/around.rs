use std::future::Future;
use std::sync::Arc;

use super::attempt::Attempt;
use super::call::Call;
use super::wire::Wire;
use crate::outcome::Error;

/// How a call's code ended. `Ok`: there was an answer, and its body is over.
pub type Flow = Result<(), Error>;

/// One pattern, written once: the code around a call, from before it is sent to the end of its
/// answer's body.
///
/// What it holds in a local is let go of when the call ends, whichever way: by the end of the body, an
/// error, a limit, or a caller who went away. See the [module](super).
pub trait Pattern: Send + Sync + 'static {
    /// As a layer: whether the inner service is waited for inside the call, instead of in `poll_ready`.
    ///
    /// For what has to bound that wait too.
    const READIES_IN_CALL: bool = false;

    /// As a layer: whether the call's facts are put into the request's extensions, for what stands
    /// further in.
    ///
    /// It costs three allocations, or none where a layer further out has put them there. Without, a
    /// layer further in knows no more than what one further out has put there, and nobody counts what
    /// went out: an error counts as it says, though it may be the last of several steps.
    const TELLS: bool = true;

    /// The code around a call.
    ///
    /// Inside, nothing is spawned and no lock is held over an `.await`. Waits go through
    /// [`Call::until`], so that a call has one timer.
    fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> impl Future<Output = Flow> + Send;

    /// The same of this very pattern: one that does nothing tells nothing.
    #[doc(hidden)]
    fn tells(&self) -> bool {
        Self::TELLS
    }

    /// Whether a call that came now would be sent. If not, a layer says that it is ready without
    /// asking the inner service.
    fn may_send(&self) -> bool {
        true
    }

    /// A call was made, and isn't polled yet: what surrounds its maker (a scope, a span) is looked at
    /// here.
    #[doc(hidden)]
    fn begin<W: Wire>(&self, _: &Attempt<W>) {}

    /// The integration that calls are of, where the pattern knows.
    #[doc(hidden)]
    fn integration(&self) -> Option<&Arc<str>> {
        None
    }
}

/// What stands further in. It may be run again, and twice at a time.
pub trait Next<W: Wire>: Send + Sync {
    /// Sends the attempt's request, and runs to the end of its answer's body.
    fn run(&self, call: &Call, attempt: &Attempt<W>) -> impl Future<Output = Flow> + Send;

    /// See [`Pattern::begin`].
    #[doc(hidden)]
    fn begin(&self, _: &Attempt<W>) {}

    /// The call is over, or waits: lets go of what was kept ready for it.
    #[doc(hidden)]
    fn let_go(&self) {}
}

/// A pattern around what stands further in.
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

    fn let_go(&self) {
        self.next.let_go();
    }
}

/// A pattern that is shared: an integration's and its handles'.
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
}

/// A slot that may be empty.
impl<P: Pattern> Pattern for Option<P> {
    const READIES_IN_CALL: bool = P::READIES_IN_CALL;
    const TELLS: bool = P::TELLS;

    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        match self {
            Some(pattern) => pattern.around(call, attempt, next).await,
            None => next.run(call, attempt).await,
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

    fn let_go(&self) {
        self.next.let_go();
    }
}
