use std::sync::Arc;

use http::header::{CONTENT_TYPE, IF_MODIFIED_SINCE, IF_NONE_MATCH, SET_COOKIE};
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version,
};

use super::given::Form;
use super::key::{CacheKey, CachePolicy, is_credential};
use super::stored::StoredAnswer;
use crate::body::Body;
use crate::context::Context;
use crate::freshness::{Directives, Failure, Moments, Storing, Validity, Windows};

/// A request that the cache may answer, and what was found for it.
pub(super) struct Asked {
    pub(super) key: CacheKey,
    pub(super) is_head: bool,
    pub(super) directives: Directives,
    pub(super) windows: Windows,
    pub(super) request: RequestHead,
    /// The stored answer that it chooses.
    pub(super) known: Option<Arc<StoredAnswer>>,
    /// There are answers for other requests to the same URI.
    pub(super) has_variants: bool,
}

/// What a fetch sends.
pub(super) struct RequestHead {
    pub(super) uri: Uri,
    version: Version,
    pub(super) headers: HeaderMap,
    extensions: Extensions,
}

/// What the cache needs to know of a request's headers.
pub(super) struct Glance<'a> {
    pub(super) way: Way,
    pub(super) host: Option<&'a HeaderValue>,
    /// Some of them say who asks.
    pub(super) has_credentials: bool,
    has_directives: bool,
}

/// How the cache treats a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It may answer.
    Cached,
    /// The caller has an older answer of its own: what is fresh is compared with it, and else the call
    /// goes past it.
    Compared,
    /// The call goes past it.
    Past,
    /// The call goes past it, and outdates what is stored.
    Unsafe,
}

impl Asked {
    /// How a stored answer is given for it.
    pub(super) fn form(&self) -> Form {
        Form { is_head: self.is_head, is_known: false, windows: self.windows }
    }

    /// The stale answer that may stand in for a failure, if there is one.
    pub(super) fn stand_in(&self, failure: Failure, now: &Moments) -> Option<&Arc<StoredAnswer>> {
        let known = self.known.as_ref()?;
        let stands_in = known.validity.stands_in(failure, &self.directives, &self.windows, now);
        stands_in.then_some(known)
    }

    /// Whether an answer to it may be stored.
    pub(super) fn storing(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        validity: &Validity,
    ) -> Storing {
        // A cookie is set for one caller.
        let is_personal = self.key.is_for_all() && headers.contains_key(SET_COOKIE);
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let is_endless =
            kind.get(..EVENTS.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(EVENTS));
        if is_personal || is_endless {
            return Storing::Leave;
        }
        Storing::of(status, headers, validity, &self.directives, &self.windows)
    }
}

impl<'a> Glance<'a> {
    /// Looks at each header once.
    pub(super) fn at(request: &'a Request<Body>) -> Self {
        let mut seen =
            Self { host: None, has_credentials: false, has_directives: false, way: Way::Cached };
        let mut is_past = !http_body::Body::is_end_stream(request.body())
            || !request.extensions().is_empty()
                && request.extensions().get::<CachePolicy>() == Some(&CachePolicy::Bypass);
        for (name, value) in request.headers() {
            match name.as_str() {
                // They come with most requests, and their names needn't be searched.
                "accept" | "accept-encoding" | "accept-language" | "content-type"
                | "traceparent" | "user-agent" | "x-request-id" => {}
                "host" => seen.host = seen.host.or(Some(value)),
                "cache-control" => seen.has_directives = true,
                // They ask for a part, or for an answer under a condition that only the provider knows.
                "range" | "if-match" | "if-unmodified-since" | "if-range" => is_past = true,
                "if-none-match" | "if-modified-since" => seen.way = Way::Compared,
                _ if seen.has_credentials => {}
                _ => seen.has_credentials = is_credential(name, value),
            }
            seen.has_credentials |= value.is_sensitive();
        }
        let method = request.method();
        match *method == Method::GET || *method == Method::HEAD {
            true if is_past => seen.way = Way::Past,
            true => {}
            false => seen.way = if method.is_safe() { Way::Past } else { Way::Unsafe },
        }
        seen
    }

    /// What its `Cache-Control` says.
    pub(super) fn directives(&self, headers: &HeaderMap) -> Directives {
        if self.has_directives { Directives::of(headers) } else { Directives::default() }
    }
}

impl RequestHead {
    pub(super) fn of(request: &Request<Body>) -> Self {
        let mut extensions = request.extensions().clone();
        // It belongs to the call that reads the answer, and a fetch has its own.
        extensions.remove::<Context>();
        Self {
            uri: request.uri().clone(),
            version: request.version(),
            headers: request.headers().clone(),
            extensions,
        }
    }

    /// The request for a fetch, which asks whether this answer still holds.
    pub(super) fn build(&self, validated: Option<&StoredAnswer>) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        request.headers_mut().extend(validated.into_iter().flat_map(conditions));
        request
    }
}

/// The conditions by which a provider can confirm a stored answer.
pub(super) fn conditions(stored: &StoredAnswer) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let validators = [
        (IF_NONE_MATCH, stored.headers.get(http::header::ETAG)),
        (IF_MODIFIED_SINCE, stored.headers.get(http::header::LAST_MODIFIED)),
    ];
    validators.into_iter().filter_map(|(name, value)| Some((name, value?.clone())))
}

/// Events that come as they happen (HTML Living Standard, 9.2).
const EVENTS: &[u8] = b"text/event-stream";
