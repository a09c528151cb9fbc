use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use http::{Extensions, HeaderMap, HeaderName, Method, Request, Uri};

use super::extension::Context;
use super::ids::{CorrelationId, IdempotencyKey};
use super::report::{Report, ReportEntry};
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
///
/// A call takes its id, trace and deadline from the scope in which it is made, or else from the one in
/// which it is first polled; its options from the inner one of both; and both report it. So they reach calls that a client library makes inside its own methods: give it their
/// [options](Self::options), and learn by a [`Report`] what they came to.
#[derive(Clone, Debug, Default)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope {
    correlation_id: Option<CorrelationId>,
    trace: Option<TraceContext>,
    deadline: Option<Instant>,
    carried: Option<Arc<Carried>>,
}

/// What a scope has for each request, and the reports that each call is told to. Most scopes have
/// neither.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    extensions: Extensions,
    key: Option<OneKey>,
    reports: Vec<Report>,
    /// In how many scopes that carry something its scope was made.
    depth: u32,
}

/// An idempotency key, and the request that it belongs to: the first one that may need it.
#[derive(Clone, Debug)]
struct OneKey {
    key: IdempotencyKey,
    of: Arc<OnceLock<KeyedRequest>>,
}

/// What tells the request that has a scope's key from others.
#[derive(Debug)]
struct KeyedRequest {
    method: Method,
    uri: Uri,
    body: KnownBody,
}

/// What is known of a request's body before it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownBody {
    /// Its bytes, if they are in memory.
    pub(crate) bytes: Option<Box<[u8]>>,
    /// Its length, if that is known.
    pub(crate) length: Option<u64>,
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
        let mut scope = CURRENT.try_with(Self::clone).unwrap_or_default();
        if let Some(carried) = &mut scope.carried {
            Arc::make_mut(carried).depth += 1;
        }
        scope
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

    /// Tells `report` of every call inside. The reports of outer scopes are told as well.
    pub fn report_to(mut self, report: &Report) -> Self {
        self.carry(|carried| carried.reports.push(report.clone()));
        self
    }

    /// The extensions of the requests inside. One that a request has itself, or that an inner scope
    /// has, applies in place of this scope's.
    pub(crate) fn extensions(mut self, mut extensions: Extensions) -> Self {
        let key = extensions.remove::<IdempotencyKey>();
        self.carry(|carried| {
            carried.extensions.extend(extensions);
            if let Some(key) = key {
                carried.key = Some(OneKey { key, of: Arc::default() });
            }
        });
        self
    }

    fn carry(&mut self, change: impl FnOnce(&mut Carried)) {
        change(Arc::make_mut(self.carried.get_or_insert_default()));
    }

    /// Runs `work` inside the scope.
    pub fn run<F: Future>(self, work: F) -> Scoped<F> {
        CURRENT.scope(self, work)
    }

    /// Runs `work` inside the scope, at once.
    pub fn run_now<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// Whether there is a current scope.
    pub(crate) fn is_current() -> bool {
        CURRENT.try_with(|_| ()).is_ok()
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

    /// What the current scope has for a call.
    pub(crate) fn current_carried() -> Option<Arc<Carried>> {
        CURRENT.try_with(|scope| scope.carried.clone()).ok().flatten()
    }
}

impl Carried {
    /// Of two scopes, the one that was made inside the other, or else the first.
    pub(crate) fn inner(one: Option<Arc<Self>>, other: Option<Arc<Self>>) -> Option<Arc<Self>> {
        match (one, other) {
            (Some(one), Some(other)) if other.depth > one.depth => Some(other),
            (one, other) => one.or(other),
        }
    }

    /// Gives a request what it doesn't have itself.
    pub(crate) fn extend<B>(&self, request: &mut Request<B>) {
        let own = std::mem::replace(request.extensions_mut(), self.extensions.clone());
        request.extensions_mut().extend(own);
    }

    /// Gives a request the key, if it is the one that the key belongs to: the first one, and one that may
    /// be the same, by all that is known of it. Requests that only read are to be left out.
    pub(crate) fn give_key<B>(&self, request: &mut Request<B>, body: &KnownBody) {
        let Some(OneKey { key, of }) = &self.key else { return };
        if request.extensions().get::<IdempotencyKey>().is_some() {
            return;
        }
        let (method, uri) = (request.method(), request.uri());
        let mut is_it = false;
        let first = of.get_or_init(|| {
            is_it = true;
            KeyedRequest { method: method.clone(), uri: uri.clone(), body: body.clone() }
        });
        if is_it || (&first.method, &first.uri) == (method, uri) && !first.body.differs_from(body) {
            request.extensions_mut().insert(key.clone());
        }
    }

    /// Gives a request the scope's limit, which counts from when the call is made.
    pub(crate) fn limit_call<B>(&self, request: &mut Request<B>) {
        if let Some(limit) = self.limit()
            && !has_limit(request)
        {
            request.extensions_mut().insert(CallLimit(limit));
        }
    }

    /// The time that a call may take, if the scope says so.
    pub(crate) fn limit(&self) -> Option<std::time::Duration> {
        self.extensions.get::<CallLimit>().map(|limit| limit.0)
    }

    /// Whether it has a key for one of the requests inside.
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Enters a call into the reports of the scopes in which it was made and polled, if there are any.
    pub(crate) fn report(
        scopes: [Option<&Arc<Self>>; 2],
        method: &Method,
        context: &Context,
        is_nested: bool,
    ) -> Option<Arc<ReportEntry>> {
        let mut reports: Vec<&Report> = Vec::new();
        for report in scopes.into_iter().flatten().flat_map(|scope| &scope.reports) {
            if !reports.iter().any(|known| known.is(report)) {
                reports.push(report);
            }
        }
        let is_reported = !reports.is_empty();
        let entry =
            is_reported.then(|| ReportEntry::new(method.clone(), context.clone(), is_nested))?;
        reports.iter().for_each(|report| report.begin(&entry));
        Some(entry)
    }
}

impl KnownBody {
    fn differs_from(&self, other: &Self) -> bool {
        let differ =
            |one: Option<u64>, other: Option<u64>| one.zip(other).is_some_and(|(a, b)| a != b);
        let bytes = self.bytes.as_ref().zip(other.bytes.as_ref());
        bytes.is_some_and(|(one, other)| one != other) || differ(self.length, other.length)
    }
}

/// Whether a request has a limit of its own.
pub(crate) fn has_limit<B>(request: &Request<B>) -> bool {
    let own = request.extensions();
    own.get::<CallLimit>().is_some() || own.get::<CallDeadline>().is_some()
}

tokio::task_local! {
    static CURRENT: Scope;
}

/// The headers in which other services send their ids.
const INBOUND: [HeaderName; 2] =
    [HeaderName::from_static("x-request-id"), HeaderName::from_static("x-correlation-id")];
