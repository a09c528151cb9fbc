use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use crate::outcome::{Error, ErrorKind};
use crate::rt::callback;
use crate::terms::{Delivery, Fault};

/// Finds a host's addresses, in place of the system.
///
/// Asked for every new connection, so that a host that moved is found where it is now. One that panics has
/// found nothing.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, in the order in which they are to be tried.
    ///
    /// The port is the URI's; where it names none, an address's own, or the scheme's if that is zero.
    fn resolve(&self, host: &str) -> Resolved;
}

/// Addresses, when they are found.
pub type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The resolver to ask.
#[derive(Clone, Default)]
pub(super) struct Source(Option<Arc<dyn Resolve>>);

impl Source {
    pub(super) fn own(resolver: impl Resolve) -> Self {
        Self(Some(Arc::new(resolver)))
    }

    /// The addresses of `host`; at least one.
    pub(super) async fn ask(&self, host: &str) -> Result<Vec<SocketAddr>, Error> {
        let found = match &self.0 {
            Some(own) => ask_own(&**own, host).await,
            None => ask_system(host).await,
        };
        match found {
            Ok(addresses) if addresses.is_empty() => {
                Err(unresolved(io::Error::new(io::ErrorKind::NotFound, "it has no address")))
            }
            found => found.map_err(unresolved),
        }
    }
}

async fn ask_system(host: &str) -> io::Result<Vec<SocketAddr>> {
    let name = host.parse::<Name>().map_err(io::Error::other)?;
    Ok(GaiResolver::new().call(name).await?.collect())
}

/// Calls a resolver of the host, and turns a panic into an error.
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

/// The resolver's name in the report of a panic.
const RESOLVER: &str = "resolver";
