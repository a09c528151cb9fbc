//! TCP, to whichever of a host's addresses answers first.

use std::future::{Future, poll_fn, ready};
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::connect::Progress;
use super::resolve::Source;
use crate::outcome::BoxError;
use crate::rt::{self, Timer};

/// Makes a TCP connection by RFC 8305: the next address is tried in parallel to those that are
/// silent.
///
/// hyper-util's connector tries the addresses of a family one after the other. To leave time for
/// the last one, it divides the limit by their number: with eight addresses in one second, each has
/// 125 ms, and a host farther away than that is never reached. Here each address has the whole
/// limit.
#[derive(Clone, Debug)]
pub(super) struct Tcp {
    pub(super) resolve: Source,
    /// After how much silence TCP asks whether the peer is still there.
    pub(super) keepalive: Option<Duration>,
    /// How long to wait for one address before the next is tried in parallel.
    pub(super) head_start: Duration,
    /// When the connection must be made.
    pub(super) due: Option<Instant>,
    pub(super) progress: Progress,
}

pub(super) type TcpIo = TokioIo<TcpStream>;

/// A TCP connection that is being made.
type Connecting = Pin<Box<dyn Future<Output = Result<TcpIo, BoxError>> + Send>>;

/// A resolver that knows one address.
#[derive(Clone, Copy, Debug)]
struct KnownAddress(SocketAddr);

impl Tcp {
    async fn connect(self, to: Uri) -> Result<TcpIo, BoxError> {
        let addresses = match address(&to) {
            // The port is the URI's.
            Some(address) => vec![SocketAddr::new(address, 0)],
            None => in_turns(self.resolve.ask(to.host().unwrap_or_default()).await?),
        };
        self.progress.resolved(addresses.len());
        let left = self.due.map(|due| due.saturating_duration_since(rt::now()));
        let pause = pause(self.head_start, left, addresses.len());
        let attempts = addresses.into_iter().map(|address| self.attempt(address, &to));
        let io = first_of(attempts, pause).await?;
        self.progress.connected();
        Ok(io)
    }

    fn attempt(&self, address: SocketAddr, to: &Uri) -> Connecting {
        let mut tcp = HttpConnector::new_with_resolver(KnownAddress(address));
        tcp.set_nodelay(true);
        tcp.set_keepalive(self.keepalive);
        tcp.enforce_http(false);
        let connecting = tcp.call(to.clone());
        Box::pin(async { connecting.await.map_err(BoxError::from) })
    }
}

impl Service<Uri> for Tcp {
    type Response = TcpIo;
    type Error = BoxError;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Connecting {
        Box::pin(self.clone().connect(to))
    }
}

impl Service<Name> for KnownAddress {
    type Response = std::iter::Once<SocketAddr>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(std::iter::once(self.0)))
    }
}

/// The address that a URI names itself.
fn address(to: &Uri) -> Option<IpAddr> {
    to.host()?.trim_matches(['[', ']']).parse().ok()
}

/// The address families alternate, beginning with the family of the first address (RFC 8305, 4).
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turns = Vec::with_capacity(first.len() + second.len());
    while first.len() + second.len() > 0 {
        turns.extend(first.next());
        turns.extend(second.next());
    }
    turns
}

/// The time between two attempts: short enough that the last address has half of the remaining
/// time.
fn pause(head_start: Duration, left: Option<Duration>, addresses: usize) -> Duration {
    let Some(left) = left else { return head_start };
    let pauses = u32::try_from(addresses.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
    head_start.min((left / 2 / pauses).max(SHORTEST_PAUSE))
}

/// The result of the first attempt that succeeds, or else the error of the first one that failed.
///
/// The next attempt begins after a pause, or at once when one fails.
async fn first_of<F, T>(
    mut attempts: impl Iterator<Item = F>,
    pause: Duration,
) -> Result<T, BoxError>
where
    F: Future<Output = Result<T, BoxError>> + Unpin,
{
    let mut running: Vec<F> = Vec::new();
    let mut failure = None;
    let mut next = rt::now();
    let mut timer = pin!(Timer::default());
    poll_fn(|cx| {
        loop {
            let mut at = 0;
            while let Some(attempt) = running.get_mut(at) {
                match Pin::new(attempt).poll(cx) {
                    Poll::Ready(Ok(made)) => return Poll::Ready(Ok(made)),
                    Poll::Ready(Err(error)) => {
                        failure.get_or_insert(error);
                        running.swap_remove(at);
                        next = rt::now();
                    }
                    Poll::Pending => at += 1,
                }
            }
            if !running.is_empty() {
                std::task::ready!(timer.as_mut().poll_at(next, cx));
            }
            match attempts.next() {
                Some(attempt) => running.push(attempt),
                None if running.is_empty() => {
                    let none = || "the host's name has no address".into();
                    return Poll::Ready(Err(failure.take().unwrap_or_else(none)));
                }
                None => return Poll::Pending,
            }
            next = rt::after(rt::now(), pause);
        }
    })
    .await
}

/// RFC 8305, 5: a connection attempt delay "MUST NOT be less than 10 milliseconds".
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
