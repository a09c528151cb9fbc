use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::client::legacy::connect::Connection as _;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use super::config::HyperConfig;
use super::connect::Connect;
use super::pool::{Acquired, Driver, Grant, Hold, Host, Hosts, Lease, Place, Sender, Waiting};
use super::request::{self, Forward};
use super::tls;
use crate::body::{Body, GuardedBody};
use crate::context::Context;
use crate::control::{Credential, Expiry};
use crate::error::{BoxError, Delivery, Error, ErrorKind};
use crate::event::{Emitter, Event};
use crate::outcome::{Fault, Phase};
use crate::rt;
use crate::transport::hop;
use crate::transport::pool::{Control, PoolFigures, PoolHandle, PoolLimits, WarmUp};

/// A client of hyper's connections, with its own pool.
#[derive(Clone)]
pub struct HyperTransport {
    client: Arc<Client>,
}

/// A request on its way.
pub type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Error>> + Send>>;

/// The body of an answer, which holds its connection until it is over.
pub type ResponseBody = GuardedBody<Incoming, Hold>;

struct Client {
    connect: Connect,
    hosts: Hosts,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    speak_http2: bool,
    emitter: Emitter,
}

impl HyperTransport {
    pub(super) fn new(config: &HyperConfig, emitter: Emitter) -> Self {
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(config.http2_ping_after)
            .keep_alive_timeout(config.http2_ping_timeout);
        let client = Client {
            connect: Connect::new(config),
            hosts: Hosts::new(config.limits(), emitter.clone(), config.http2_prior_knowledge),
            http1: http1::Builder::new(),
            http2,
            speak_http2: config.http2_prior_knowledge,
            emitter,
        };
        Self { client: Arc::new(client) }
    }

    /// Reads the pool's figures, and warms it up.
    #[must_use]
    pub fn pool(&self) -> PoolHandle {
        PoolHandle::new(Arc::clone(&self.client) as Arc<dyn Control>)
    }
}

impl Service<Request<Body>> for HyperTransport {
    type Response = Response<ResponseBody>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // Waiting for a connection is a part of the call: its host isn't known before.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        let context = request.extensions().get::<Context>().cloned();
        let sent = Arc::clone(&self.client).send(request, context.clone());
        Box::pin(async move {
            // Whatever it came to, it came to it for this call.
            sent.await.map_err(|error| Error::from_client(error, context.as_ref()))
        })
    }
}

impl Client {
    async fn send(
        self: Arc<Self>,
        mut request: Request<Body>,
        context: Option<Context>,
    ) -> Result<Response<ResponseBody>, Error> {
        request::check(&request)?;
        let uri = request.uri().clone();
        let Some(host) = self.hosts.of(&uri) else {
            return Err(Error::new(ErrorKind::Request, Delivery::NotSent));
        };
        loop {
            let began = self.emitter.is_listened_to().then(rt::now);
            let lease = self.acquire(&host, &uri, context.as_ref()).await?;
            if let (Some(began), Some(context)) = (began, &context) {
                let waited = rt::now().saturating_duration_since(began);
                context.call().set_acquired(Some(waited));
            }
            if let Some(refusal) = context.as_ref().and_then(Context::refusal) {
                // Somebody stopped the integration meanwhile: the connection is for others.
                return Err(refusal);
            }
            let mut hold = Hold::new(lease, context.clone());
            let connection = hold.connection();
            match connection.is_http2() {
                true => request::for_http2(&mut request, &uri),
                false => request::for_http1(&mut request, &uri, connection.forward()),
            }
            let was_kept = connection.was_kept();
            hop::hand_over(context.as_ref());
            let mut error = match connection.send(request).await {
                Ok(mut response) => {
                    hop::answered(context.as_ref(), &mut response);
                    if response.status() == StatusCode::MISDIRECTED_REQUEST {
                        // Another attempt must go over another connection (RFC 9110, 15.5.20).
                        hold.misdirected();
                    }
                    return Ok(response.map(|body| GuardedBody::new(body, Some(hold))));
                }
                Err(error) => error,
            };
            match error.take_message() {
                // It was closed while nobody used it: the request never left, and goes elsewhere.
                Some(unsent) if was_kept => {
                    hop::take_back(context.as_ref());
                    hold.unsent();
                    request = unsent;
                }
                Some(_) => {
                    hop::take_back(context.as_ref());
                    let failure = hold.connection().failure();
                    hold.unsent();
                    return Err(never_left(failure, error.into_error()));
                }
                None => {
                    hold.failed();
                    return Err(hop::failed(context.as_ref(), error.into_error()));
                }
            }
        }
    }

    /// A connection: one that is free, a new one, or the next that comes free.
    async fn acquire(
        &self,
        host: &Arc<Host>,
        uri: &Uri,
        context: Option<&Context>,
    ) -> Result<Lease, Error> {
        let mut acquired = host.acquire();
        let limit = self.hosts.limits().acquire;
        let due = limit.map(|limit| rt::after(rt::now(), limit));
        loop {
            acquired = match acquired {
                Acquired::Lease(lease) => return Ok(lease),
                // Boxed, because it is large and few calls make a connection: inline, every call
                // would carry the room for two handshakes.
                Acquired::Place(place) => {
                    return Box::pin(self.connect(host, place, uri)).await;
                }
                Acquired::Wait(granted) => {
                    let waiting = Waiting::at(host);
                    let granted = rt::until(due, granted).await;
                    drop(waiting);
                    match granted {
                        None => return Err(self.none_free(host, context)),
                        Some(Ok(Grant::Lease(lease))) => Acquired::Lease(lease),
                        Some(Ok(Grant::Place(place))) => Acquired::Place(place),
                        Some(Err(_)) => host.acquire(),
                    }
                }
            };
        }
    }

    fn none_free(&self, host: &Host, context: Option<&Context>) -> Error {
        let (phase, limit) = (Phase::Acquire, self.hosts.limits().acquire.unwrap_or_default());
        self.emitter.emit(context, || Event::TimedOut { phase, limit });
        let detail = match host.room() {
            (u32::MAX, _) => "the one connection is still being made".into(),
            (most, open) => format!("no connection free, {open} of {most} in use"),
        };
        Error::timeout(phase, limit, Delivery::NotSent).with_detail(detail)
    }

    async fn connect(&self, host: &Arc<Host>, place: Place, uri: &Uri) -> Result<Lease, Error> {
        let handshake = |io, forward| {
            host.showed(tls::server_expiry(&io));
            self.handshake(io, forward)
        };
        let limit = self.hosts.limits().connect;
        let (sender, driver) = self.connect.run(uri.clone(), limit, handshake).await?;
        Ok(host.established(place, sender, driver))
    }

    async fn handshake(
        &self,
        io: tls::Io,
        forward: Option<Forward>,
    ) -> Result<(Sender, Driver), BoxError> {
        // A proxy that forwards speaks HTTP/1.1.
        let is_http2 = forward.is_none() && self.speak_http2 || io.connected().is_negotiated_h2();
        let (mut sender, mut driver): (_, Driver) = match is_http2 {
            true => {
                let (sender, driver) = self.http2.handshake(io).await?;
                (Sender::Http2(sender), Box::pin(driver))
            }
            false => {
                let (sender, driver) = self.http1.handshake(io).await?;
                (Sender::Http1(sender, forward), Box::pin(driver.with_upgrades()))
            }
        };
        // The sender is ready once the connection was driven for the first time.
        poll_fn(|cx| match driver.as_mut().poll(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(())) => Poll::Ready(Err("the host closed the connection".into())),
            Poll::Pending => sender.poll_ready(cx).map_err(BoxError::from),
        })
        .await?;
        Ok((sender, driver))
    }

    async fn warm(self: Arc<Self>, to: Uri, connections: u32) -> Result<(), Error> {
        let request = Request::get(to.clone()).body(Body::empty());
        request::check(&request.map_err(|_| unnamed())?)?;
        let host = self.hosts.of(&to).ok_or_else(unnamed)?;
        let mut made = tokio::task::JoinSet::new();
        for place in (0..connections).map_while(|_| host.place()) {
            let (client, host, to) = (Arc::clone(&self), Arc::clone(&host), to.clone());
            made.spawn(async move { client.connect(&host, place, &to).await });
        }
        // All are held until all are made: one that came back early would be used twice.
        let mut held = Vec::new();
        let mut failed = None;
        while let Some(result) = made.join_next().await {
            match result {
                Ok(Ok(lease)) => held.push(lease),
                Ok(Err(error)) => failed = failed.or(Some(error)),
                Err(_) => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// A new connection gave the request back: what broke it says more than that it did.
fn never_left(failure: Option<hyper::Error>, canceled: hyper::Error) -> Error {
    match failure {
        Some(failure) => Error::from_client(failure, None).unsent(),
        None => Error::new(ErrorKind::Transport(Fault::NotProcessed), Delivery::NotSent)
            .with_source(canceled.into()),
    }
}

/// A URI that names no host.
fn unnamed() -> Error {
    let error = Error::new(ErrorKind::Request, Delivery::NotSent);
    error.with_detail("its uri is not absolute: give it a scheme and a host")
}

impl Control for Client {
    fn figures(&self) -> PoolFigures {
        self.hosts.figures()
    }

    fn expiries(&self) -> Vec<Expiry> {
        let ours = self.connect.certificate_expiry();
        let ours =
            ours.map(|at| Expiry { credential: Credential::ClientCertificate, host: None, at });
        self.hosts.expiries().chain(ours).collect()
    }

    fn limits(&self) -> PoolLimits {
        self.hosts.limits()
    }

    fn set_limits(&self, limits: PoolLimits) {
        self.hosts.reconfigure(limits);
    }

    fn warm_up(self: Arc<Self>, to: Uri, connections: u32) -> WarmUp {
        Box::pin(self.warm(to, connections))
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("pool", &self.client.hosts.figures()).finish()
    }
}
