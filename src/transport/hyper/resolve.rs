use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::connect::Progress;
use crate::callback;
use crate::error::{Delivery, Error, ErrorKind};
use crate::outcome::Fault;

/// Finds a host's addresses, in place of the system.
///
/// Asked for every new connection, so that a host that moved is found where it is now. One that panics has
/// found nothing.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`; their ports are of no account.
    fn resolve(&self, host: &str) -> Resolved;
}

/// Addresses, when they are found.
pub type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Who is asked.
#[derive(Clone, Default)]
pub(super) struct Source(Option<Arc<dyn Resolve>>);

/// Resolves the name of one connection, and says when it is done.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    source: Source,
    progress: Progress,
}

/// A name that is being resolved.
pub(super) struct Resolving {
    resolved: Resolved,
    progress: Progress,
}

impl Source {
    pub(super) fn own(resolver: impl Resolve) -> Self {
        Self(Some(Arc::new(resolver)))
    }

    fn ask(&self, name: Name) -> Resolved {
        match &self.0 {
            Some(own) => ask_own(&**own, name.as_str()),
            None => {
                let asked = GaiResolver::new().call(name);
                Box::pin(async { Ok(asked.await?.collect()) })
            }
        }
    }
}

impl Resolver {
    pub(super) fn new(source: Source, progress: Progress) -> Self {
        Self { source, progress }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Error;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        Resolving { resolved: self.source.ask(name), progress: self.progress.clone() }
    }
}

impl Future for Resolving {
    type Output = Result<vec::IntoIter<SocketAddr>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let result = std::task::ready!(self.resolved.as_mut().poll(cx));
        self.progress.resolved();
        Poll::Ready(result.map(Vec::into_iter).map_err(unresolved))
    }
}

/// What a resolver of the host's finds; an error if it panics.
fn ask_own(own: &dyn Resolve, host: &str) -> Resolved {
    let resolved = callback::call(RESOLVER, || own.resolve(host));
    Box::pin(async {
        let resolved = callback::run(RESOLVER, resolved.ok_or_else(panicked)?).await;
        resolved.unwrap_or_else(|| Err(panicked()))
    })
}

fn panicked() -> io::Error {
    io::Error::other("the resolver panicked")
}

fn unresolved(error: io::Error) -> Error {
    Error::new(ErrorKind::Transport(Fault::Dns), Delivery::NotSent).with_source(error.into())
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "own resolver" } else { "the system's resolver" })
    }
}

/// What a resolver of the host's is called where it is told that it panicked.
const RESOLVER: &str = "resolver";
