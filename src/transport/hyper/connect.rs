use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use http::Uri;
use tower_service::Service;

use super::request::Forward;
use super::service::Client;
use super::tcp::Tcp;
use super::tls;
use crate::outcome::{BoxError, Error, foreign};
use crate::rt;
use crate::terms::{Delivery, Phase};

/// The progress of making a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Reached>);

#[derive(Debug, Default)]
struct Reached {
    step: AtomicU8,
    addresses: AtomicUsize,
    is_to_proxy: AtomicBool,
}

impl Client {
    /// Connects to the host of `to`, and goes on with `handshake`, all within the limit. A host that
    /// wants HTTP/1.1 is offered nothing else.
    pub(super) async fn make<T, F>(
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
            let known = tls::SCHEMES.join(" or ");
            return Err(Error::unsendable(format!("its scheme is not {known}")));
        }
        let progress = Progress::default();
        let due = limit.map(|limit| rt::after(rt::now(), limit));
        let tcp = Tcp {
            resolve: self.config.resolve.clone(),
            keepalive: self.config.tcp_keepalive,
            head_start: self.config.happy_eyeballs,
            due,
            progress: progress.clone(),
        };
        let (via, to, forward) = self.config.proxies.route(to, tcp)?;
        let mut connector = tls::connector(via, &self.tls, wants_http1);
        let work = async {
            std::future::poll_fn(|cx| connector.poll_ready(cx)).await?;
            handshake(connector.call(to).await?, forward).await
        };
        match rt::until(due, work).await {
            Some(made) => made.map_err(foreign::read_connecting),
            None => {
                let limit = limit.unwrap_or_default();
                let error = Error::timeout(Phase::Connect, limit, Delivery::NotSent);
                Err(error.with_detail(progress.doing()))
            }
        }
    }
}

// === impl Progress ===

impl Progress {
    /// The connection is to a proxy, not to the host itself.
    #[cfg(feature = "proxy")]
    pub(super) fn to_proxy(&self) {
        self.0.is_to_proxy.store(true, Ordering::Relaxed);
    }

    /// The name was resolved to this number of addresses.
    pub(super) fn resolved(&self, addresses: usize) {
        self.0.addresses.store(addresses, Ordering::Relaxed);
        self.0.step.store(RESOLVED, Ordering::Relaxed);
    }

    pub(super) fn connected(&self) {
        self.0.step.store(CONNECTED, Ordering::Relaxed);
    }

    /// The step that was running when time ran out.
    fn doing(&self) -> String {
        let peer = if self.0.is_to_proxy.load(Ordering::Relaxed) { "proxy" } else { "host" };
        let addresses = self.0.addresses.load(Ordering::Relaxed);
        match self.0.step.load(Ordering::Relaxed) {
            CONNECTED => format!("the {peer} took the connection, and then was silent"),
            RESOLVED if addresses > 1 => {
                format!("none of the {peer}'s {addresses} addresses took the connection")
            }
            RESOLVED => format!("the {peer} did not take the connection"),
            _ => format!("the {peer}'s name was not resolved"),
        }
    }
}

const RESOLVED: u8 = 1;
const CONNECTED: u8 = 2;
