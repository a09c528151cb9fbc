use std::fmt;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::options::CallOptions;
use crate::body::Body;
use crate::cache::CachePolicy;
use crate::context::IdempotencyKey;
use crate::integration::{Call, Integration};
use crate::outcome::Error;
use crate::retry::RetryOverride;

/// A request of an integration, put together step by step. Its methods are named as reqwest's.
///
/// ```
/// use outrigger::{Integration, ResponseExt};
///
/// # async fn customer() -> Result<(), Box<dyn std::error::Error>> {
/// let crm = Integration::user_flow("crm").base_url("https://api.crm.example/v2").build()?;
/// let text = crm
///     .get("customers/42")
///     .bearer_auth("secret")
///     .template("/customers/{id}")
///     .send()
///     .await?
///     .error_for_status()?
///     .text()
///     .await?;
/// # let _ = text;
/// # Ok(()) }
/// ```
///
/// What is wrong with it (a header's value, a body that can't be written as JSON) is the error of
/// [`build`](Self::build) or of the call.
#[must_use = "a request is not sent until `send`"]
pub struct RequestBuilder {
    integration: Integration,
    request: Request<Body>,
    options: CallOptions,
    /// The first thing that was wrong.
    error: Option<Error>,
}

impl RequestBuilder {
    pub(super) fn new(integration: Integration, method: Method, uri: Result<Uri, Error>) -> Self {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        let error = match uri {
            Ok(uri) => {
                *request.uri_mut() = uri;
                None
            }
            Err(error) => Some(error),
        };
        Self { integration, request, options: CallOptions::new(), error }
    }

    fn step<T>(mut self, value: Result<T, Error>, set: impl FnOnce(&mut Request<Body>, T)) -> Self {
        match value {
            Ok(value) => set(&mut self.request, value),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Adds a header; one of the same name stays.
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        N::Error: Into<http::Error>,
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        let name = name.try_into().map_err(|error| Error::from(error.into()));
        let value = value.try_into().map_err(|error| Error::from(error.into()));
        let header = name.and_then(|name| Ok((name, value?)));
        self.step(header, |request, (name, value)| {
            request.headers_mut().append(name, value);
        })
    }

    /// Sets these headers, in place of those of the same names.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        let mut last = None;
        for (name, value) in headers {
            // A name stands before the first of its values only.
            match name {
                Some(name) => {
                    self.request.headers_mut().insert(name.clone(), value);
                    last = Some(name);
                }
                None => {
                    if let Some(name) = &last {
                        self.request.headers_mut().append(name, value);
                    }
                }
            }
        }
        self
    }

    /// `Authorization: Bearer …` (RFC 6750), hidden from records.
    pub fn bearer_auth(self, token: impl fmt::Display) -> Self {
        self.auth(format!("Bearer {token}"))
    }

    /// `Authorization: Basic …` (RFC 7617), hidden from records.
    pub fn basic_auth(self, user: impl fmt::Display, password: Option<impl fmt::Display>) -> Self {
        let (user, password) =
            (user.to_string(), password.map(|password| password.to_string()).unwrap_or_default());
        if user.contains(':') {
            // What follows would be read as the password (RFC 7617, 2).
            return self.step(Err::<(), _>(Error::unsendable("its user has a `:`")), |_, ()| {});
        }
        self.auth(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
    }

    fn auth(self, value: String) -> Self {
        let value =
            HeaderValue::try_from(value).map_err(|error| Error::from(http::Error::from(error)));
        self.step(value, |request, mut value| {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        })
    }

    /// The body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Adds fields to the URI's query, as a form is written: a map, a list of pairs, a struct.
    #[cfg(feature = "query")]
    pub fn query<T: serde::Serialize + ?Sized>(self, fields: &T) -> Self {
        let uri = written("query", fields).and_then(|more| with_query(self.request.uri(), &more));
        self.step(uri, |request, uri| *request.uri_mut() = uri)
    }

    /// The body as a form (`application/x-www-form-urlencoded`).
    #[cfg(feature = "form")]
    pub fn form<T: serde::Serialize + ?Sized>(self, fields: &T) -> Self {
        let form = written("form", fields);
        self.step(form, |request, form| {
            set_body(request, form.into(), "application/x-www-form-urlencoded");
        })
    }

    /// The body as JSON. A `content-type` that was set before stays.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(self, value: &T) -> Self {
        let json = serde_json::to_vec(value);
        let json = json.map_err(|_| Error::unsendable("its body can't be written as json"));
        self.step(json, |request, json| set_body(request, json.into(), "application/json"))
    }

    /// See [`CallOptions::idempotency_key`].
    pub fn idempotency_key<K>(self, key: K) -> Self
    where
        K: TryInto<IdempotencyKey>,
        K::Error: Into<Error>,
    {
        self.option(|options| options.idempotency_key(key))
    }

    /// See [`CallOptions::business_key`].
    pub fn business_key(self, key: impl Into<String>) -> Self {
        self.option(|options| options.business_key(key))
    }

    /// See [`CallOptions::template`].
    pub fn template(self, template: impl Into<String>) -> Self {
        self.option(|options| options.template(template))
    }

    /// See [`CallOptions::deadline`].
    #[doc(alias = "timeout")]
    pub fn deadline(self, limit: Duration) -> Self {
        self.option(|options| options.deadline(limit))
    }

    /// See [`CallOptions::retries`].
    pub fn retries(self, retries: RetryOverride) -> Self {
        self.option(|options| options.retries(retries))
    }

    /// These options, in place of those that were set before.
    pub fn options(self, options: CallOptions) -> Self {
        self.option(|_| options)
    }

    /// It goes past the cache.
    pub(crate) fn past_cache(mut self) -> Self {
        self.request.extensions_mut().insert(CachePolicy::Bypass);
        self
    }

    fn option(mut self, set: impl FnOnce(CallOptions) -> CallOptions) -> Self {
        self.options = set(self.options);
        self
    }

    /// The request, with its options in its extensions, to be sent later or by somebody else.
    ///
    /// # Errors
    ///
    /// What is wrong with it, of kind [`Request`](crate::ErrorKind::Request).
    pub fn build(self) -> Result<Request<Body>, Error> {
        self.split().1
    }

    /// Calls the API. Nothing is sent before the call is first polled.
    pub fn send(self) -> Call {
        let method = self.request.method().clone();
        let (integration, request) = self.split();
        match request {
            Ok(request) => integration.send(request),
            Err(error) => integration.refuse(error, method),
        }
    }

    fn split(self) -> (Integration, Result<Request<Body>, Error>) {
        let Self { integration, mut request, options, error } = self;
        let applied = match error {
            None => options.apply(request.extensions_mut()),
            Some(error) => Err(error),
        };
        (integration, applied.map(|()| request))
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("integration", &self.integration.name())
            .field("method", self.request.method())
            .finish_non_exhaustive()
    }
}

impl Integration {
    /// A request by GET. `uri` is a path under the [base URL](crate::IntegrationBuilder::base_url),
    /// or absolute.
    pub fn get(&self, uri: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, uri)
    }

    /// A request by POST, likewise.
    pub fn post(&self, uri: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, uri)
    }

    /// A request by PUT, likewise.
    pub fn put(&self, uri: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PUT, uri)
    }

    /// A request by PATCH, likewise.
    pub fn patch(&self, uri: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::PATCH, uri)
    }

    /// A request by DELETE, likewise.
    pub fn delete(&self, uri: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::DELETE, uri)
    }

    /// A request by HEAD, likewise.
    pub fn head(&self, uri: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::HEAD, uri)
    }

    /// A request by any method, likewise.
    pub fn request(&self, method: Method, uri: impl AsRef<str>) -> RequestBuilder {
        let uri = self.shared.endpoint.uri(uri.as_ref());
        RequestBuilder::new(self.clone(), method, uri)
    }

    /// As [`send`](Self::send), with options.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); and if an option has no valid value.
    pub fn send_with<B: Into<Body>>(&self, request: Request<B>, options: CallOptions) -> Call {
        let mut request = request.map(Into::into);
        match options.apply(request.extensions_mut()) {
            Ok(()) => self.send(request),
            Err(error) => self.refuse(error, request.method().clone()),
        }
    }
}

#[cfg(any(feature = "json", feature = "form"))]
fn set_body(request: &mut Request<Body>, body: Body, content_type: &'static str) {
    let content_type = HeaderValue::from_static(content_type);
    request.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(content_type);
    *request.body_mut() = body;
}

#[cfg(any(feature = "query", feature = "form"))]
fn written<T: serde::Serialize + ?Sized>(what: &str, fields: &T) -> Result<String, Error> {
    serde_urlencoded::to_string(fields).map_err(|_| {
        Error::unsendable(format!("its {what} can't be written: it must be pairs of plain values"))
    })
}

#[cfg(feature = "query")]
fn with_query(uri: &Uri, more: &str) -> Result<Uri, Error> {
    if more.is_empty() {
        return Ok(uri.clone());
    }
    let path = match uri.query() {
        Some(query) if !query.is_empty() => format!("{}?{query}&{more}", uri.path()),
        _ => format!("{}?{more}", uri.path()),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().map_err(http::Error::from)?);
    Ok(Uri::from_parts(parts).map_err(http::Error::from)?)
}

/// RFC 4648, 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(three.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
