use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use tower_service::Service;

use super::config::HyperConfig;
use super::tls::{self, Connector};
use crate::error::{BoxError, Delivery, Error, ErrorKind};
use crate::outcome::{Fault, Phase};
use crate::rt::{self, Timer};

/// TCP, with names resolved by the system.
pub(super) type Tcp = HttpConnector<Resolver>;

/// Makes connections, in time.
#[derive(Clone, Debug)]
pub(super) struct Connect {
    inner: Connector,
    limit: Option<Duration>,
}

/// The system's resolver, whose failures are named.
#[derive(Clone, Debug)]
pub(super) struct Resolver(GaiResolver);

/// A name that is being resolved.
pub(super) struct Resolving(GaiFuture);

/// A connection that is being made.
pub(super) struct Connecting {
    inner: <Connector as Service<Uri>>::Future,
    timer: Pin<Box<Timer>>,
    due: Option<(Instant, Duration)>,
    /// Its scheme is none that is spoken here.
    refused: bool,
}

impl Connect {
    pub(super) fn new(config: &HyperConfig) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        tcp.set_nodelay(true);
        tcp.set_keepalive(config.tcp_keepalive);
        Self { inner: tls::connector(tcp, &config.tls), limit: config.connect_timeout }
    }
}

impl Service<Uri> for Connect {
    type Response = <Connector as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Connecting;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(boxed)
    }

    fn call(&mut self, to: Uri) -> Connecting {
        let due = self.limit.map(|limit| (rt::after(rt::now(), limit), limit));
        let refused = !to.scheme_str().is_some_and(|scheme| tls::SCHEMES.contains(&scheme));
        Connecting { inner: self.inner.call(to), timer: Box::pin(Timer::default()), due, refused }
    }
}

impl Future for Connecting {
    type Output = Result<<Connector as Service<Uri>>::Response, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if self.refused {
            let error = Error::new(ErrorKind::Request, Delivery::NotSent);
            let detail = format!("its scheme is not {}", tls::SCHEMES.join(" or "));
            return Poll::Ready(Err(error.with_detail(detail).into()));
        }
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll(cx) {
            return Poll::Ready(result.map_err(boxed));
        }
        let Some((due, limit)) = self.due else {
            return Poll::Pending;
        };
        ready!(self.timer.as_mut().poll_at(due, cx));
        let error = Error::timeout(Phase::Connect, limit, Delivery::NotSent);
        Poll::Ready(Err(error.into()))
    }
}

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = Error;
    type Future = Resolving;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx).map_err(unresolved)
    }

    fn call(&mut self, name: Name) -> Resolving {
        Resolving(self.0.call(name))
    }
}

impl Future for Resolving {
    type Output = Result<GaiAddrs, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(unresolved)
    }
}

fn unresolved(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Transport(Fault::Dns), Delivery::NotSent).with_source(error.into())
}

/// The connector's error, boxed already where TLS is compiled in.
fn boxed(error: impl Into<BoxError>) -> BoxError {
    error.into()
}
