use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AGE, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Extensions, HeaderMap, Response, StatusCode};
use http_body_util::Full;

use super::asked::Asked;
use super::stored::StoredAnswer;
use crate::freshness::{Moments, Windows};
use crate::pattern::WholeAnswer;
use crate::rt::Lock;
use crate::terms::CacheOutcome;

/// Why the provider was asked, or would have been, in the words of RFC 9211, 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forwarded {
    /// It wasn't.
    No,
    /// Nothing is stored.
    UriMiss,
    /// What is stored is for other requests.
    VaryMiss,
    /// What is stored is stale.
    Stale,
    /// The request wanted it.
    Request,
    /// The method can't be answered from the store.
    Method,
    /// The call goes past the cache.
    Bypass,
}

/// What the `Cache-Status` field says of one answer.
pub(super) struct CacheStatus {
    pub(super) forwarded: Forwarded,
    /// The status that the provider answered, if another answer is given.
    pub(super) status: Option<StatusCode>,
    /// How many seconds are left of the lifetime; negative past it.
    pub(super) ttl: Option<i64>,
    pub(super) outcome: CacheOutcome,
}

/// How a stored answer is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) is_head: bool,
    /// The caller has the same answer already, and is only told so.
    pub(super) is_known: bool,
    pub(super) windows: Windows,
}

/// The headers of an answer as they were last given with a plain hit.
#[derive(Default)]
pub(super) struct LastGiven(Mutex<Option<Arc<GivenHeaders>>>);

/// Headers with what `Age` and `Cache-Status` say at one age and lifetime.
struct GivenHeaders {
    age: u64,
    ttl: i64,
    headers: HeaderMap,
}

/// What is given of a stored answer at this age, with its extensions in the memory of these.
pub(super) fn whole(
    stored: &StoredAnswer,
    form: Form,
    age: Duration,
    mut status: CacheStatus,
    mut extensions: Extensions,
) -> WholeAnswer {
    let ttl = seconds(stored.validity.lifetime(&form.windows)) - seconds(age);
    status.ttl = Some(ttl);
    let body = if form.is_head || form.is_known { Bytes::new() } else { stored.body.clone() };
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = if form.is_known { StatusCode::NOT_MODIFIED } else { stored.status };
    head.version = stored.version();
    head.headers = match status.outcome {
        CacheOutcome::Hit => stored.last_given.at(age.as_secs(), ttl, stored, &status),
        _ => given_headers(stored, age.as_secs(), &status),
    };
    extensions.clear();
    extensions.insert(status.outcome);
    head.extensions = extensions;
    WholeAnswer { head, body }
}

/// A stored answer's headers at this age.
fn given_headers(stored: &StoredAnswer, age: u64, status: &CacheStatus) -> HeaderMap {
    let mut headers = stored.headers.clone();
    // They have their places there, and an insertion might make room for another one.
    put(&mut headers, &AGE, HeaderValue::from(age));
    match stored.is_relayed {
        true => drop(headers.append(CACHE_STATUS, status.line())),
        false => put(&mut headers, &CACHE_STATUS, status.line()),
    }
    headers
}

impl LastGiven {
    /// The headers at this age. They are the same for a second, in which they are only copied.
    fn at(&self, age: u64, ttl: i64, stored: &StoredAnswer, status: &CacheStatus) -> HeaderMap {
        let last = self.0.locked().clone();
        if let Some(last) = last.filter(|last| last.age == age && last.ttl == ttl) {
            return last.headers.clone();
        }
        let headers = given_headers(stored, age, status);
        let given = GivenHeaders { age, ttl, headers: headers.clone() };
        *self.0.locked() = Some(Arc::new(given));
        headers
    }
}

/// The answer to a request that wanted nothing but a stored one (RFC 9111, 5.2.1.7).
pub(super) fn nothing_stored() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response.extensions_mut().insert(CacheOutcome::Miss);
    response
}

impl Forwarded {
    /// Why the provider is asked.
    pub(super) fn of(asked: &Asked, now: &Moments) -> Self {
        match &asked.known {
            None if asked.has_variants => Self::VaryMiss,
            None => Self::UriMiss,
            Some(known) if known.validity.age(now) < known.validity.lifetime(&asked.windows) => {
                Self::Request
            }
            Some(_) => Self::Stale,
        }
    }
}

impl CacheStatus {
    pub(super) fn of(outcome: CacheOutcome, forwarded: Forwarded) -> Self {
        Self { forwarded, status: None, ttl: None, outcome }
    }

    /// The provider answered with this status, and another answer is given.
    pub(super) fn answered(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Appends it to those of other caches.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.append(CACHE_STATUS, self.line());
    }

    fn line(&self) -> HeaderValue {
        let mut text = String::with_capacity(64);
        text.push_str("outrigger; ");
        text.push_str(match self.forwarded {
            Forwarded::No => "hit",
            Forwarded::UriMiss => "fwd=uri-miss",
            Forwarded::VaryMiss => "fwd=vary-miss",
            Forwarded::Stale => "fwd=stale",
            Forwarded::Request => "fwd=request",
            Forwarded::Method => "fwd=method",
            Forwarded::Bypass => "fwd=bypass",
        });
        if let Some(status) = self.status {
            text.push_str("; fwd-status=");
            text.push_str(status.as_str());
        }
        if let Some(ttl) = self.ttl {
            text.push_str("; ttl=");
            text.push_str(&ttl.to_string());
        }
        text.push_str(match self.outcome {
            CacheOutcome::Collapsed => "; collapsed",
            CacheOutcome::StaleWhileRevalidate => "; detail=stale-while-revalidate",
            CacheOutcome::StaleIfError => "; detail=stale-if-error",
            _ => "",
        });
        HeaderValue::try_from(text).expect("it has only signs that a field may have")
    }
}

/// Says on an answer of the provider's what the cache did.
pub(super) fn mark(head: &mut Parts, status: CacheStatus) {
    let headers: &mut HeaderMap = &mut head.headers;
    status.write(headers);
    head.extensions.insert(status.outcome);
}

/// Replaces the value of a header that is there.
fn put(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    if let Some(place) = headers.get_mut(name) {
        *place = value;
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
