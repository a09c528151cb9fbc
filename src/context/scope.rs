use std::future::Future;
use std::time::Instant;

use http::{HeaderMap, HeaderName};

use super::ids::CorrelationId;
use super::trace::TraceContext;
use crate::rt;

/// The time by which a call must have ended, as a request extension.
///
/// It replaces the layer's own limit, whether earlier or later, unless that [must not be
/// lengthened](crate::deadline::DeadlineLayer::may_be_lengthened). If the [`Scope`] has an earlier
/// one, that one applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallDeadline(pub Instant);

/// The time that a call may take, from when it is sent, as a request extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallLimit(pub(crate) std::time::Duration);

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
#[derive(Clone, Debug, Default)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope {
    correlation_id: Option<CorrelationId>,
    trace: Option<TraceContext>,
    deadline: Option<Instant>,
}

/// Work that runs inside a [`Scope`].
pub type Scoped<F> = tokio::task::futures::TaskLocalFuture<Scope, F>;

impl CallDeadline {
    /// A deadline after `limit` from now.
    #[must_use]
    pub fn after(limit: std::time::Duration) -> Self {
        Self(rt::after(rt::now(), limit))
    }
}

impl Scope {
    /// An empty scope. Inside another scope, it inherits the other's facts.
    pub fn new() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// The correlation id of the calls inside.
    pub fn correlation_id(mut self, id: CorrelationId) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// The trace that the calls inside belong to.
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
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
        Self { correlation_id: id, trace: Some(trace), ..Self::new() }
    }

    /// Returns the correlation id to the client, in `x-request-id`.
    pub fn mark(&self, headers: &mut HeaderMap) {
        if let Some(id) = &self.correlation_id {
            headers.insert(INBOUND[0].clone(), id.as_header().clone());
        }
    }

    /// The time by which the calls inside must have ended, unless an outer scope has an earlier
    /// one.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(at, |outer| outer.min(at)));
        self
    }

    /// The same, counted from now.
    pub fn deadline_in(self, limit: std::time::Duration) -> Self {
        self.deadline(rt::after(rt::now(), limit))
    }

    /// Runs `work` inside the scope.
    pub fn run<F: Future>(self, work: F) -> Scoped<F> {
        CURRENT.scope(self, work)
    }

    /// Runs `work` inside the scope, at once.
    pub fn run_now<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    pub(crate) fn current_correlation_id() -> Option<CorrelationId> {
        CURRENT.try_with(|scope| scope.correlation_id.clone()).ok().flatten()
    }

    pub(crate) fn current_trace() -> Option<TraceContext> {
        CURRENT.try_with(|scope| scope.trace.clone()).ok().flatten()
    }

    pub(crate) fn current_deadline() -> Option<Instant> {
        CURRENT.try_with(|scope| scope.deadline).ok().flatten()
    }
}

tokio::task_local! {
    static CURRENT: Scope;
}

/// The headers in which other services send their ids.
const INBOUND: [HeaderName; 2] =
    [HeaderName::from_static("x-request-id"), HeaderName::from_static("x-correlation-id")];
