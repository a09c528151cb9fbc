use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use tower_service::Service;

use super::config::HyperConfig;
use super::tls;
use crate::error::{BoxError, Delivery, Error, ErrorKind};
use crate::outcome::{Fault, Phase, foreign};
use crate::rt;

/// TCP, with names resolved by the system.
pub(super) type Tcp = HttpConnector<Resolver>;

/// Makes connections, in time.
#[derive(Clone, Debug)]
pub(super) struct Connect {
    tcp_keepalive: Option<Duration>,
    tls: tls::Prepared,
    limit: Option<Duration>,
}

/// What the making of one connection has come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

/// The system's resolver, whose failures are named.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    system: GaiResolver,
    progress: Progress,
}

/// A name that is being resolved.
pub(super) struct Resolving {
    system: GaiFuture,
    progress: Progress,
}

/// TCP connections that say when they are made.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    tcp: Tcp,
    progress: Progress,
}

/// A TCP connection that is being made.
pub(super) struct Noting {
    tcp: <Tcp as Service<Uri>>::Future,
    progress: Progress,
}

impl Connect {
    pub(super) fn new(config: &HyperConfig) -> Self {
        let limit = config.connect_timeout;
        Self { tcp_keepalive: config.tcp_keepalive, tls: tls::prepare(&config.tls), limit }
    }

    /// Connects to the host of `to`, and goes on with `handshake`, all within the limit.
    pub(super) async fn run<T, F>(
        &self,
        to: Uri,
        handshake: impl FnOnce(tls::Io) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, BoxError>>,
    {
        if !to.scheme_str().is_some_and(|scheme| tls::SCHEMES.contains(&scheme)) {
            let error = Error::new(ErrorKind::Request, Delivery::NotSent);
            let known = tls::SCHEMES.join(" or ");
            return Err(error.with_detail(format!("its scheme is not {known}")));
        }
        let progress = Progress::default();
        let mut connector = tls::connector(self.tcp(&progress), &self.tls);
        let work = async {
            std::future::poll_fn(|cx| connector.poll_ready(cx)).await?;
            handshake(connector.call(to).await?).await
        };
        let due = self.limit.map(|limit| rt::after(rt::now(), limit));
        match rt::until(due, work).await {
            Some(made) => made.map_err(foreign::read_connecting),
            None => {
                let limit = self.limit.unwrap_or_default();
                let error = Error::timeout(Phase::Connect, limit, Delivery::NotSent);
                Err(error.with_detail(progress.doing()))
            }
        }
    }

    /// A TCP connector for one connection.
    fn tcp(&self, progress: &Progress) -> Noted {
        let resolver = Resolver { system: GaiResolver::new(), progress: progress.clone() };
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.set_nodelay(true);
        tcp.set_keepalive(self.tcp_keepalive);
        tcp.enforce_http(false);
        Noted { tcp, progress: progress.clone() }
    }
}

// === impl Progress ===

impl Progress {
    fn reached(&self, step: u8) {
        self.0.store(step, Ordering::Relaxed);
    }

    /// What was going on when time ran out.
    fn doing(&self) -> &'static str {
        match self.0.load(Ordering::Relaxed) {
            CONNECTED => "the host took the connection, and then was silent",
            RESOLVED => "the host did not take the connection",
            _ => "the host's name was not resolved",
        }
    }
}

// === impl Resolver ===

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = Error;
    type Future = Resolving;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.system.poll_ready(cx).map_err(unresolved)
    }

    fn call(&mut self, name: Name) -> Resolving {
        Resolving { system: self.system.call(name), progress: self.progress.clone() }
    }
}

impl Future for Resolving {
    type Output = Result<GaiAddrs, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let resolved = Pin::new(&mut self.system).poll(cx);
        if resolved.is_ready() {
            self.progress.reached(RESOLVED);
        }
        resolved.map_err(unresolved)
    }
}

fn unresolved(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Transport(Fault::Dns), Delivery::NotSent).with_source(error.into())
}

// === impl Noted ===

impl Service<Uri> for Noted {
    type Response = <Tcp as Service<Uri>>::Response;
    type Error = <Tcp as Service<Uri>>::Error;
    type Future = Noting;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Noting {
        if is_address(&to) {
            // There is no name to resolve.
            self.progress.reached(RESOLVED);
        }
        Noting { tcp: self.tcp.call(to), progress: self.progress.clone() }
    }
}

impl Future for Noting {
    type Output = <<Tcp as Service<Uri>>::Future as Future>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let connected = Pin::new(&mut self.tcp).poll(cx);
        if connected.is_ready() {
            self.progress.reached(CONNECTED);
        }
        connected
    }
}

fn is_address(to: &Uri) -> bool {
    let host = to.host().unwrap_or_default();
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

const RESOLVED: u8 = 1;
const CONNECTED: u8 = 2;
