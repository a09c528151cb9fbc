use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use http::{Extensions, HeaderMap, HeaderName};
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;

use super::carried::Carried;
use super::ids::CorrelationId;
use super::report::Report;
use super::trace::TraceContext;
use crate::rt;

/// The time by which a call must have ended, as a request extension.
///
/// It replaces the layer's own limit, whether earlier or later, unless that [must not be
/// lengthened](crate::deadline::DeadlineLayer::may_be_lengthened). If the [`Scope`] has an earlier
/// one, that one applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallDeadline(pub Instant);

/// Facts that a piece of work gives to every call that is made, or first polled, inside of it.
///
/// ```
/// # async fn handler(id: outrigger::context::CorrelationId) {
/// use std::time::Duration;
/// use outrigger::context::Scope;
///
/// Scope::new()
///     .correlation_id(id)
///     .deadline_in(Duration::from_secs(2))
///     .run(async {
///         // calls made here carry the id and end in time
///     })
///     .await;
/// # }
/// ```
///
/// A call takes its id, trace and deadline from the scope in which it is made, or else from the one in
/// which it is first polled; its options from the inner one of both; and both report it. So they reach calls
/// that a client library makes inside its own methods: give it their [options](Self::options), and learn by
/// a [`Report`] what they came to.
#[derive(Clone, Debug, Default)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope {
    own: Facts,
    /// Those of the scope in which it was made.
    made_in: Option<Entered>,
}

/// What a scope gives to calls.
#[derive(Clone, Debug, Default)]
struct Facts {
    correlation_id: Option<CorrelationId>,
    trace: Option<TraceContext>,
    deadline: Option<Instant>,
    carried: Option<Arc<Carried>>,
    /// In how many scopes they are.
    depth: u32,
}

/// The facts inside of a scope, which are known once something runs in it.
type Entered = Arc<OnceLock<Facts>>;

pin_project! {
    /// Work that runs inside a [`Scope`].
    #[must_use = "work does nothing until it is awaited"]
    pub struct Scoped<F> {
        // Until the first poll.
        entering: Option<(Scope, Entered)>,
        #[pin]
        work: TaskLocalFuture<Entered, F>,
    }
}

impl CallDeadline {
    /// A deadline after `limit` from now.
    #[must_use]
    pub fn after(limit: std::time::Duration) -> Self {
        Self(rt::after(rt::now(), limit))
    }
}

impl Scope {
    /// An empty scope. It inherits the facts of the scope in which it is made, and of the one in which
    /// its work is first polled.
    pub fn new() -> Self {
        Self { own: Facts::default(), made_in: CURRENT.try_with(Arc::clone).ok() }
    }

    /// The correlation id of the calls inside.
    pub fn correlation_id(mut self, id: CorrelationId) -> Self {
        self.own.correlation_id = Some(id);
        self
    }

    /// The trace that the calls inside belong to.
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.own.trace = Some(trace);
        self
    }

    /// The facts of an inbound request: its trace (W3C Trace Context), or a new one, and its
    /// correlation id, from `x-request-id` or `x-correlation-id`, or the trace's id.
    ///
    /// The headers aren't trusted: an id that is too long or holds other characters is ignored.
    ///
    /// ```
    /// # async fn handler(request: http::Request<()>) {
    /// use outrigger::context::Scope;
    ///
    /// Scope::inbound(request.headers())
    ///     .run(async {
    ///         // calls made here continue the caller's trace
    ///     })
    ///     .await;
    /// # }
    /// ```
    pub fn inbound(headers: &HeaderMap) -> Self {
        let trace = TraceContext::from_headers(headers).unwrap_or_else(TraceContext::root);
        let fit = |name| CorrelationId::from_header(headers.get(name)?).ok();
        let id = INBOUND.iter().find_map(fit);
        let id = id.or_else(|| CorrelationId::new(trace.trace_id().to_string()).ok());
        let mut scope = Self::new().trace(trace);
        scope.own.correlation_id = id;
        scope
    }

    /// Returns the correlation id to the client, in `x-request-id`.
    pub fn mark(&self, headers: &mut HeaderMap) {
        let inherited = || self.made_in.as_ref()?.get()?.correlation_id.as_ref();
        if let Some(id) = self.own.correlation_id.as_ref().or_else(inherited) {
            headers.insert(INBOUND[0].clone(), id.as_header().clone());
        }
    }

    /// The time by which the calls inside must have ended, unless an outer scope has an earlier
    /// one.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.own.deadline = earlier(self.own.deadline, Some(at));
        self
    }

    /// The same, counted from now.
    pub fn deadline_in(self, limit: std::time::Duration) -> Self {
        self.deadline(rt::after(rt::now(), limit))
    }

    /// Tells `report` of every call inside. The reports of outer scopes are told as well.
    pub fn report_to(mut self, report: &Report) -> Self {
        self.carry(|carried| carried.report_to(report));
        self
    }

    /// The extensions of the requests inside. One that a request has itself, or that an inner scope
    /// has, applies in place of this scope's.
    pub(crate) fn extensions(mut self, extensions: Extensions) -> Self {
        self.carry(|carried| carried.extend_by(extensions));
        self
    }

    fn carry(&mut self, change: impl FnOnce(&mut Carried)) {
        let made_in = self.made_in.as_ref().and_then(|facts| facts.get());
        let depth = made_in.map_or(0, |outer| outer.depth + 1);
        let carried = self.own.carried.get_or_insert_with(|| Arc::new(Carried::inside(depth)));
        change(Arc::make_mut(carried));
    }

    /// Runs `work` inside the scope, which is inside the one in which it is first polled.
    pub fn run<F: Future>(self, work: F) -> Scoped<F> {
        let entered = Entered::default();
        let work = CURRENT.scope(Arc::clone(&entered), work);
        Scoped { entering: Some((self, entered)), work }
    }

    /// Runs `work` inside the scope, at once.
    pub fn run_now<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Arc::new(self.enter().into()), work)
    }

    /// The facts inside of it, where it runs in the current scope.
    fn enter(self) -> Facts {
        let Self { own, made_in } = self;
        let run_in = CURRENT.try_with(Arc::clone).ok();
        let is_one = made_in.as_ref().map(Arc::as_ptr) == run_in.as_ref().map(Arc::as_ptr);
        let facts = |of: Option<Entered>| of.and_then(|facts| facts.get().cloned());
        let made_in = facts(made_in).unwrap_or_default();
        let Some(run_in) = facts(run_in).filter(|_| !is_one) else { return own.inside(made_in) };
        match run_in.depth > made_in.depth {
            true => own.inside(run_in.inside(made_in)),
            false => own.inside(made_in.inside(run_in)),
        }
    }

    /// Whether there is a current scope.
    pub(crate) fn is_current() -> bool {
        CURRENT.try_with(|_| ()).is_ok()
    }

    pub(crate) fn current_correlation_id() -> Option<CorrelationId> {
        Self::current(|facts| facts.correlation_id.clone())
    }

    pub(crate) fn current_trace() -> Option<TraceContext> {
        Self::current(|facts| facts.trace.clone())
    }

    pub(crate) fn current_deadline() -> Option<Instant> {
        Self::current(|facts| facts.deadline)
    }

    /// What the current scope has for a call.
    pub(crate) fn current_carried() -> Option<Arc<Carried>> {
        Self::current(|facts| facts.carried.clone())
    }

    fn current<T>(read: impl FnOnce(&Facts) -> Option<T>) -> Option<T> {
        CURRENT.try_with(|facts| facts.get().and_then(read)).ok().flatten()
    }
}

impl Facts {
    /// These, and what they lack of a scope around them.
    fn inside(self, outer: Self) -> Self {
        Self {
            correlation_id: self.correlation_id.or(outer.correlation_id),
            trace: self.trace.or(outer.trace),
            deadline: earlier(self.deadline, outer.deadline),
            carried: Carried::within(self.carried, outer.carried),
            depth: self.depth.max(outer.depth + 1),
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Some((scope, entered)) = this.entering.take() {
            entered.get_or_init(|| scope.enter());
        }
        this.work.poll(cx)
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scoped")
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

tokio::task_local! {
    static CURRENT: Entered;
}

/// The headers in which other services send their ids.
const INBOUND: [HeaderName; 2] =
    [HeaderName::from_static("x-request-id"), HeaderName::from_static("x-correlation-id")];
