//! Follows redirects by tower-http, by rules that keep a call's effect one and its secrets here.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};

use http::header::{self, HeaderName};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use tower_http::follow_redirect::FollowRedirect;
use tower_http::follow_redirect::policy::{Action, Attempt, Policy};
use tower_service::Service;

use super::body::Received;
use super::service::Client;
use crate::body::Body;
use crate::context::{Context, Peer, UploadProgress};
use crate::event::{Emitter, Event};
use crate::outcome::{Error, FollowedRedirect, Redirected};
use crate::replay::{has_honoured_key, is_idempotent, is_known_safe};
use crate::rt::{self, Lock};
use crate::terms::{Delivery, RedirectTo};

/// Where redirects may lead: to everywhere, unless an integration has a base URL.
#[derive(Clone, Default)]
pub(crate) struct AllowedUris(Option<Arc<Allows>>);

type Allows = dyn Fn(&Uri) -> bool + Send + Sync;

impl AllowedUris {
    pub(crate) fn by(allows: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(allows)))
    }

    fn allow(&self, uri: &Uri) -> bool {
        self.0.as_ref().is_none_or(|allows| allows(uri))
    }
}

impl fmt::Debug for AllowedUris {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "some" } else { "all" })
    }
}

/// Sends one request, without following anything.
#[derive(Clone)]
struct SingleRequest {
    client: Arc<Client>,
    context: Option<Context>,
}

/// One call's redirects so far, and what may follow.
#[derive(Clone)]
struct Chain {
    emitter: Emitter,
    context: Option<Context>,
    /// How many redirects may be followed.
    most: u32,
    allowed: AllowedUris,
    hops: u32,
    /// Where the redirect that is being followed leads.
    to_origin: RedirectTo,
    /// The request may be repeated, although its method isn't safe.
    is_repeatable: bool,
    /// Its provider honours the request's key.
    is_keyed: bool,
    followed: Arc<Followed>,
}

/// What a chain tells of its redirects.
#[derive(Default)]
struct Followed {
    any: AtomicBool,
    /// One of them led to another origin.
    left_origin: AtomicBool,
    /// A POST became a GET, and nothing says that it was carried out.
    is_lost: AtomicBool,
    /// Where the last of them led.
    peer: Mutex<Option<Peer>>,
}

/// Sends a request, and follows the redirects that it is answered by.
pub(super) async fn follow(
    client: Arc<Client>,
    request: Request<Body>,
    context: Option<Context>,
) -> Result<Response<Received>, Error> {
    let limits = (client.config.max_redirects, &client.config.redirects_to);
    let chain = Chain::begin(&client.emitter, &request, context.clone(), limits);
    let followed = Arc::clone(&chain.followed);
    let single = SingleRequest { client, context };
    let mut response = match FollowRedirect::with_policy(single, chain).call(request).await {
        Ok(response) => response,
        // The first request was answered, and may have been carried out.
        Err(error) if followed.any() => return Err(error.merge_delivery(Delivery::Unknown)),
        Err(error) => return Err(error),
    };
    followed.mark(&mut response);
    Ok(response)
}

impl Service<Request<Body>> for SingleRequest {
    type Response = Response<Received>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Received>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let peer = Peer::of(request.uri());
        let sent = Arc::clone(&self.client).send(request, self.context.clone());
        // It names the host of this request, which need not be the one that the caller asked.
        Box::pin(async move { sent.await.map_err(|error| error.with_peer(|| peer)) })
    }
}

// === impl Followed ===

impl Followed {
    fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Says on the answer that it is one to another request than the caller's.
    fn mark<B>(&self, response: &mut Response<B>) {
        if !self.any() {
            return;
        }
        let to = match self.left_origin.load(Ordering::Relaxed) {
            true => RedirectTo::OtherOrigin,
            false => RedirectTo::SameOrigin,
        };
        let peer = self.peer.locked().clone();
        response.extensions_mut().insert(FollowedRedirect { to, peer });
        if self.is_lost.load(Ordering::Relaxed) {
            response.extensions_mut().insert(Redirected);
        }
    }
}

// === impl Chain ===

impl Chain {
    fn begin(
        emitter: &Emitter,
        request: &Request<Body>,
        context: Option<Context>,
        (most, allowed): (u32, &AllowedUris),
    ) -> Self {
        let is_honoured = |context: &Context| has_honoured_key(request, context.call());
        Self {
            emitter: emitter.clone(),
            most,
            allowed: allowed.clone(),
            hops: 0,
            to_origin: RedirectTo::SameOrigin,
            is_repeatable: is_known_safe(request.extensions()),
            is_keyed: context.as_ref().is_some_and(is_honoured),
            followed: Arc::default(),
            context,
        }
    }

    /// Whether the request may be sent there by this method.
    ///
    /// Who redirects a POST by 307 or 308 should have done nothing, but nobody proves it. So it is sent
    /// again only where a key makes it one, and the key goes to no other origin.
    fn may_send(&self, method: &Method, to_origin: RedirectTo) -> bool {
        let by_key = self.is_keyed && to_origin == RedirectTo::SameOrigin;
        is_idempotent(method) || self.is_repeatable || by_key
    }
}

impl Policy<Body, Error> for Chain {
    fn redirect(&mut self, redirect: &Attempt<'_>) -> Result<Action, Error> {
        let (from, to) = (redirect.previous(), redirect.location());
        let to_origin = match origin(from) == origin(to) {
            true => RedirectTo::SameOrigin,
            false => RedirectTo::OtherOrigin,
        };
        let may_go_on = self.hops < self.most && may_follow(from, to) && self.allowed.allow(to);
        if !may_go_on || !self.may_send(redirect.method(), to_origin) {
            return Ok(Action::Stop);
        }
        (self.hops, self.to_origin) = (self.hops + 1, to_origin);
        // By 303, the server says that it acted (RFC 9110, 15.4.4).
        if redirect.method() != redirect.previous_method()
            && redirect.status() != StatusCode::SEE_OTHER
        {
            self.followed.is_lost.store(true, Ordering::Relaxed);
        }
        self.followed.any.store(true, Ordering::Relaxed);
        *self.followed.peer.locked() = Peer::of(to);
        if to_origin == RedirectTo::OtherOrigin {
            self.followed.left_origin.store(true, Ordering::Relaxed);
        }
        let (status, hops) = (redirect.status(), self.hops);
        let event = || Event::Redirected { status, to_origin, hops };
        self.emitter.emit(self.context.as_ref(), event);
        Ok(Action::Follow)
    }

    /// Makes a request fit for where it goes, the first excepted.
    fn on_request(&mut self, request: &mut Request<Body>) {
        if self.hops == 0 {
            return;
        }
        if self.to_origin == RedirectTo::OtherOrigin {
            let headers = request.headers_mut();
            *headers = without_secrets(headers);
        }
        // An upload that was given up has nothing more to send.
        let upload = request.extensions().get::<UploadProgress>();
        if let Some(upload) = upload.filter(|_| request.body().is_end_stream()) {
            upload.count_writes(false);
            upload.ended(rt::now());
        }
    }

    fn clone_body(&self, body: &Body) -> Option<Body> {
        body.again()
    }
}

/// Whether a redirect from one URI to another may be followed, whatever the request.
fn may_follow(from: &Uri, to: &Uri) -> bool {
    let is_fit = match to.scheme_str() {
        Some("https") => true,
        Some("http") => from.scheme_str() == Some("http"),
        _ => false,
    };
    // Credentials in a URI are sent nowhere (RFC 9110, 4.2.4).
    is_fit && to.authority().is_some_and(|to| !to.as_str().contains('@'))
}

/// Scheme, host and port: RFC 6454, 4.
fn origin(uri: &Uri) -> (Option<&str>, Option<String>, u16) {
    let own = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host().map(str::to_ascii_lowercase);
    (uri.scheme_str(), host, uri.port_u16().unwrap_or(own))
}

/// The headers that another origin may see. By name, because nobody knows all names under which keys
/// are sent.
fn without_secrets(headers: &HeaderMap) -> HeaderMap {
    let headers = headers.iter().filter(|(name, value)| {
        HARMLESS.iter().any(|harmless| harmless == *name) && !value.is_sensitive()
    });
    headers.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// They say what is sent, what may be answered, and by what software.
const HARMLESS: [HeaderName; 12] = [
    header::ACCEPT,
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::RANGE,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];
