use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, SystemTime};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use tower_service::Service;

use super::config::HyperConfig;
use super::proxy::Proxies;
use super::request::Forward;
use super::resolve::{Resolver, Source};
use super::tls;
use crate::error::{BoxError, Delivery, Error, ErrorKind};
use crate::outcome::{Phase, foreign};
use crate::rt;

/// TCP, with names resolved as is set.
pub(super) type Tcp = HttpConnector<Resolver>;

/// Makes connections, in time.
#[derive(Clone, Debug)]
pub(super) struct Connect {
    tcp_keepalive: Option<Duration>,
    happy_eyeballs: Option<Duration>,
    resolve: Source,
    proxies: Proxies,
    tls: tls::Prepared,
}

/// What the making of one connection has come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

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
        Self {
            tcp_keepalive: config.tcp_keepalive,
            happy_eyeballs: config.happy_eyeballs,
            resolve: config.resolve.clone(),
            proxies: config.proxies.clone(),
            tls: tls::prepare(&config.tls),
        }
    }

    /// When the certificate ends that hosts are shown.
    pub(super) fn certificate_expiry(&self) -> Option<SystemTime> {
        tls::client_expiry(&self.tls)
    }

    /// Connects to the host of `to`, and goes on with `handshake`, all within the limit. A host that
    /// wants HTTP/1.1 is offered nothing else.
    pub(super) async fn run<T, F>(
        &self,
        to: Uri,
        limit: Option<Duration>,
        wants_http1: bool,
        handshake: impl FnOnce(tls::Io, Option<Forward>) -> F,
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
        let (via, to, forward) = self.proxies.route(to, self.tcp(&progress))?;
        let mut connector = tls::connector(via, &self.tls, wants_http1);
        let work = async {
            std::future::poll_fn(|cx| connector.poll_ready(cx)).await?;
            handshake(connector.call(to).await?, forward).await
        };
        let due = limit.map(|limit| rt::after(rt::now(), limit));
        match rt::until(due, work).await {
            Some(made) => made.map_err(foreign::read_connecting),
            None => {
                let limit = limit.unwrap_or_default();
                let error = Error::timeout(Phase::Connect, limit, Delivery::NotSent);
                Err(error.with_detail(progress.doing()))
            }
        }
    }

    /// A TCP connector for one connection.
    fn tcp(&self, progress: &Progress) -> Noted {
        let resolver = Resolver::new(self.resolve.clone(), progress.clone());
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.set_happy_eyeballs_timeout(self.happy_eyeballs);
        tcp.set_nodelay(true);
        tcp.set_keepalive(self.tcp_keepalive);
        tcp.enforce_http(false);
        Noted { tcp, progress: progress.clone() }
    }
}

// === impl Progress ===

impl Progress {
    pub(super) fn resolved(&self) {
        self.reached(RESOLVED);
    }

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
            self.progress.resolved();
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
