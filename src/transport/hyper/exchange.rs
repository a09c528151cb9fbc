//! One request on one connection, from the wait for it to the head of the answer.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;

use super::body::Received;
use super::pool::{Acquired, Grant, Hold, Host, Lease, Waiting};
use super::request;
use super::service::Client;
use crate::body::{Body, GuardedBody};
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{Error, ErrorKind};
use crate::rt;
use crate::terms::{Delivery, Fault, Phase};
use crate::transport::hop;

impl Client {
    pub(super) async fn send(
        self: Arc<Self>,
        mut request: Request<Body>,
        context: Option<Context>,
    ) -> Result<Response<Received>, Error> {
        request::check(&request)?;
        request::wait(&request);
        let uri = request.uri().clone();
        let host = self.hosts.of(&uri).ok_or_else(request::unnamed)?;
        // When a reused connection returned the request, look for a new one only once.
        let mut given_back = None;
        loop {
            let lease = self.acquire_timed(&host, &uri, context.as_ref(), given_back).await?;
            if let Some(refusal) = context.as_ref().and_then(Context::refusal) {
                // The integration was stopped meanwhile: leave the connection to other requests.
                return Err(refusal);
            }
            let hold = Hold::new(lease, context.clone());
            let sending = (request, &uri, context.as_ref());
            match self.exchange(hold, sending, given_back.is_none()).await? {
                Exchanged::Answer(response) => return Ok(response),
                Exchanged::GivenBack(unsent, sent_at) => {
                    given_back = Some(sent_at);
                    request = unsent;
                }
            }
        }
    }

    async fn exchange(
        &self,
        mut hold: Hold,
        (mut request, uri, context): (Request<Body>, &Uri, Option<&Context>),
        may_give_back: bool,
    ) -> Result<Exchanged, Error> {
        let connection = hold.connection();
        match connection.http1() {
            None => request::for_http2(&mut request, uri),
            Some(http1) => request::for_http1(&mut request, uri, http1),
        }
        hop::hand_over(context);
        let mut error = match connection.send(request).await {
            Ok(response) => return self.answered(hold, response, context).map(Exchanged::Answer),
            Err(error) => error,
        };
        match (error.take_message(), hold.kept_when_sent()) {
            // The request never left, and goes elsewhere.
            (Some(unsent), Some(sent_at)) if may_give_back => {
                hop::take_back(context);
                hold.unsent();
                Ok(Exchanged::GivenBack(unsent, sent_at))
            }
            (Some(_), _) => {
                hop::take_back(context);
                let failure = hold.connection().failure();
                hold.unsent();
                Err(never_left(failure, error.into_error()))
            }
            (None, _) => {
                let error = error.into_error();
                if wants_http1(&error) {
                    hold.wants_http1();
                }
                hold.failed(is_broken(&error));
                Err(hop::failed(context, error))
            }
        }
    }

    /// The head has arrived. The body holds its connection until it has ended.
    fn answered(
        &self,
        mut hold: Hold,
        mut response: Response<Incoming>,
        context: Option<&Context>,
    ) -> Result<Response<Received>, Error> {
        hop::answered(context, &mut response);
        hold.answered();
        if hold.connection().is_http2() {
            self.config.heads.check(response.headers())?;
        }
        if response.status() == StatusCode::MISDIRECTED_REQUEST {
            // Another attempt must go over another connection (RFC 9110, 15.5.20).
            hold.misdirected();
        }
        Ok(response.map(|body| GuardedBody::new(body, hold)))
    }

    /// Gets a connection, and records the wait for it if there are subscribers.
    async fn acquire_timed(
        &self,
        host: &Arc<Host>,
        uri: &Uri,
        context: Option<&Context>,
        since: Option<Instant>,
    ) -> Result<Lease, Error> {
        let began = self.emitter.is_listened_to().then(rt::now);
        let lease = self.acquire(host, uri, context, since).await?;
        if let (Some(began), Some(context)) = (began, context) {
            let waited = rt::now().saturating_duration_since(began);
            context.state().set_acquired(Some(waited));
        }
        Ok(lease)
    }

    /// Gets a free connection, a new one, or the next that becomes free.
    ///
    /// While it waits, the request was not sent. If the call is dropped meanwhile, these facts
    /// stay, for the layers that ask about it.
    async fn acquire(
        &self,
        host: &Arc<Host>,
        uri: &Uri,
        context: Option<&Context>,
        since: Option<Instant>,
    ) -> Result<Lease, Error> {
        let here = Here(context);
        let mut acquired = host.acquire(since);
        let limit = self.hosts.limits().acquire;
        let due = limit.map(|limit| rt::after(rt::now(), limit));
        let acquired = loop {
            acquired = match acquired {
                Acquired::Lease(lease) => break Ok(lease),
                // Boxed, because it is large and few calls make a connection: inline, every call
                // would carry the room for two handshakes.
                Acquired::Place(place) => {
                    here.connects();
                    break Box::pin(self.connect(host, place, uri)).await;
                }
                Acquired::Wait(granted) => {
                    match host.is_being_reached() {
                        // It waits for the host, like a request that connects.
                        true => here.connects(),
                        false => here.queues(),
                    }
                    let waiting = Waiting::at(host);
                    let granted = rt::until(due, granted).await;
                    drop(waiting);
                    match granted {
                        None => break Err(self.none_free(host, context)),
                        Some(Ok(Grant::Lease(lease))) => Acquired::Lease(lease),
                        Some(Ok(Grant::Place(place))) => Acquired::Place(place),
                        Some(Err(_)) => host.acquire(since),
                    }
                }
            };
        };
        here.goes();
        acquired
    }

    fn none_free(&self, host: &Host, context: Option<&Context>) -> Error {
        let (phase, limit) = (Phase::Acquire, self.hosts.limits().acquire.unwrap_or_default());
        self.emitter.emit(context, || Event::TimedOut { phase, limit });
        Error::timeout(phase, limit, Delivery::NotSent).with_detail(host.none_free())
    }
}

/// The result of a request on a connection.
enum Exchanged {
    Answer(Response<Received>),
    /// The connection was closed while it was unused. The request was sent on it at this time.
    GivenBack(Request<Body>, Instant),
}

/// Records on the call that its request was not sent.
struct Here<'a>(Option<&'a Context>);

impl Here<'_> {
    fn queues(&self) {
        if let Some(context) = self.0 {
            context.state().enter_queue();
        }
    }

    /// Waiting from here on is waiting for the provider.
    fn connects(&self) {
        if let Some(context) = self.0 {
            context.state().begin_connecting();
            self.unqueue(context);
        }
    }

    fn goes(&self) {
        if let Some(context) = self.0 {
            self.unqueue(context);
            context.state().end_connecting();
        }
    }

    fn unqueue(&self, context: &Context) {
        if context.state().is_queued() {
            context.state().set_attempt_began(rt::now());
            context.state().leave_queue();
        }
    }
}

/// A new connection returned the request: the error that broke it is more exact.
fn never_left(failure: Option<hyper::Error>, canceled: hyper::Error) -> Error {
    match failure {
        Some(failure) => Error::from_client(failure, None).unsent(),
        None => Error::new(ErrorKind::Transport(Fault::NotProcessed), Delivery::NotSent)
            .with_source(canceled.into()),
    }
}

/// Whether the connection failed, rather than the request's own body, or an answer that can't be read.
fn is_broken(error: &hyper::Error) -> bool {
    !error.is_user() && !error.is_parse() && !error.is_canceled()
}

/// Whether the host demands HTTP/1.1 (RFC 9113, 7).
fn wants_http1(error: &hyper::Error) -> bool {
    let mut level: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = level {
        if let Some(h2) = current.downcast_ref::<h2::Error>() {
            return h2.is_remote() && h2.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED);
        }
        level = current.source();
    }
    false
}
