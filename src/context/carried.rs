use std::sync::{Arc, OnceLock};

use http::{Extensions, Method, Request, Uri};

use super::extension::Context;
use super::ids::IdempotencyKey;
use super::report::{Report, ReportEntry};
use super::scope::CallDeadline;

/// What a scope has for each request, and the reports that each call is told to. Most scopes have
/// neither.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    extensions: Extensions,
    key: Option<OneKey>,
    reports: Vec<Report>,
    /// In how many scopes it is.
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

/// The time that a call may take, from when it is sent, as a request extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallLimit(pub(crate) std::time::Duration);

/// The time that each attempt may take to its answer's head, as a request extension. A shorter limit of the
/// layer's own applies in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptLimit(pub(crate) std::time::Duration);

impl Carried {
    /// Nothing yet, of a scope that is in so many others.
    pub(super) fn inside(depth: u32) -> Self {
        Self { depth, ..Self::default() }
    }

    pub(super) fn report_to(&mut self, report: &Report) {
        if !self.reports.iter().any(|known| known.is(report)) {
            self.reports.push(report.clone());
        }
    }

    pub(super) fn extend_by(&mut self, mut extensions: Extensions) {
        if let Some(key) = extensions.remove::<IdempotencyKey>() {
            self.key = Some(OneKey { key, of: Arc::default() });
        }
        self.extensions.extend(extensions);
    }

    /// What both have: of the inner scope what it has itself, and else of the outer one.
    pub(super) fn within(inner: Option<Arc<Self>>, outer: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let (inner, outer) = match (inner, outer) {
            (Some(inner), Some(outer)) if !Arc::ptr_eq(&inner, &outer) => (inner, outer),
            (inner, outer) => return inner.or(outer),
        };
        let mut both = Self::clone(&outer);
        both.extensions.extend(inner.extensions.clone());
        both.key = inner.key.clone().or(both.key);
        inner.reports.iter().for_each(|report| both.report_to(report));
        both.depth = inner.depth.max(outer.depth + 1);
        Some(Arc::new(both))
    }

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
