//! A client at a token endpoint.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use tower_service::Service;

use super::answer::{Granted, Refused};
use super::encoding::{base64, form_encode};
use crate::body::Body;
use crate::outcome::{BoxError, Error};
use crate::rt::{Lock, callback};
use crate::token::TokenError;
use crate::token::secret::Secret;

/// Who asks a token endpoint, and how. It is cloned for each fetch.
#[derive(Clone)]
pub(super) struct Client<S> {
    service: Arc<Mutex<S>>,
    url: String,
    id: String,
    proof: Proof,
    scopes: Vec<String>,
    /// Further pairs of the form.
    extra: Vec<(String, Secret)>,
}

/// By what the client proves who it is.
#[derive(Clone)]
enum Proof {
    /// A client that has no secret.
    None,
    /// RFC 6749, 2.3.1.
    Basic(Secret),
    InBody(Secret),
    /// A JWT that a function signs: RFC 7523, 2.2.
    Assertion(Arc<Assertion>),
}

type Assertion = dyn Fn() -> String + Send + Sync;

impl<S> Client<S> {
    pub(super) fn new(service: S, url: String, id: String) -> Self {
        let service = Arc::new(Mutex::new(service));
        Self { service, url, id, proof: Proof::None, scopes: Vec::new(), extra: Vec::new() }
    }

    pub(super) fn secret(&mut self, secret: String) {
        self.proof = Proof::Basic(Secret::new(secret));
    }

    pub(super) fn secret_in_body(&mut self) {
        if let Proof::Basic(secret) = &self.proof {
            self.proof = Proof::InBody(secret.clone());
        }
    }

    pub(super) fn assertion(&mut self, sign: impl Fn() -> String + Send + Sync + 'static) {
        self.proof = Proof::Assertion(Arc::new(sign));
    }

    pub(super) fn scope(&mut self, scope: String) {
        self.scopes.push(scope);
    }

    pub(super) fn pair(&mut self, name: String, value: String) {
        self.extra.push((name, Secret::new(value)));
    }

    fn request(&self, grant: &[(&str, &str)]) -> Result<Request<Body>, TokenError> {
        let uri: Uri =
            self.url.parse().map_err(|_| TokenError::settled("the token url is none"))?;
        let mut form = Form::default();
        grant.iter().for_each(|(name, value)| form.add(name, value));
        if !self.scopes.is_empty() {
            form.add("scope", &self.scopes.join(" "));
        }
        self.extra.iter().for_each(|(name, value)| form.add(name, value.as_str()));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        match &self.proof {
            Proof::None => form.add("client_id", &self.id),
            Proof::Basic(secret) => {
                headers.insert(AUTHORIZATION, basic(&self.id, secret));
            }
            Proof::InBody(secret) => {
                form.add("client_id", &self.id);
                form.add("client_secret", secret.as_str());
            }
            Proof::Assertion(sign) => {
                let signed = callback::call("client assertion", || sign());
                let signed =
                    signed.ok_or_else(|| TokenError::transient("the client assertion panicked"))?;
                form.add("client_id", &self.id);
                form.add("client_assertion_type", ASSERTION_TYPE);
                form.add("client_assertion", Secret::new(signed).as_str());
            }
        }
        let mut request = Request::post(uri).body(Body::from(form.0)).map_err(Error::from)?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl<S, R> Client<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    /// Asks for a token by this grant.
    pub(super) async fn ask(&self, grant: &[(&str, &str)]) -> Result<Granted, Refused> {
        let request = self.request(grant).map_err(Refused::Other)?;
        let failed = |error: Error| Refused::Other(error.into());
        let mut service = self.service.locked().clone();
        let from_inner = |error: S::Error| failed(Error::from_inner(error, None));
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(from_inner)?;
        let response = service.call(request).await.map_err(from_inner)?;
        let (head, body) = response.into_parts();
        let body = Body::new(body).bytes_up_to(MOST).await.map_err(failed)?;
        Granted::read(&head, &body)
    }
}

/// Id and secret are form-encoded first: RFC 6749, 2.3.1.
fn basic(id: &str, secret: &Secret) -> HeaderValue {
    let mut plain = String::new();
    form_encode(id, &mut plain);
    plain.push(':');
    form_encode(secret.as_str(), &mut plain);
    let plain = Secret::new(plain);
    let text = format!("Basic {}", base64(plain.as_str().as_bytes()));
    let mut value = HeaderValue::from_str(&text).expect("base64 is a header's value");
    value.set_sensitive(true);
    value
}

/// A form, as text.
#[derive(Default)]
struct Form(String);

impl Form {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        form_encode(name, &mut self.0);
        self.0.push('=');
        form_encode(value, &mut self.0);
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Far more than an answer with a large JWT.
const MOST: usize = 64 * 1024;
