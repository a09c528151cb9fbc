use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response, Uri};
use tower_service::Service;

use super::body::{Received, ResponseBody};
use super::config::HyperConfig;
use super::decoding::Decoding;
use super::pool::Hosts;
#[cfg(feature = "redirect")]
use super::redirect;
use super::tls;
use crate::body::Body;
use crate::context::Context;
use crate::control::{Expiry, PoolFigures};
use crate::event::Emitter;
use crate::outcome::Error;
use crate::terms::Credential;
use crate::transport::pool::{PoolControl, PoolHandle, PoolLimits, WarmUp};

/// A client of hyper's connections, with its own pool.
#[derive(Clone)]
pub struct HyperTransport {
    client: Arc<Client>,
}

/// A running request.
pub type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Error>> + Send>>;

pub(super) struct Client {
    pub(super) config: HyperConfig,
    pub(super) tls: tls::Prepared,
    pub(super) hosts: Hosts,
    pub(super) emitter: Emitter,
}

impl HyperTransport {
    pub(crate) fn new(config: HyperConfig, emitter: Emitter) -> Self {
        let hosts = Hosts::new(config.limits, emitter.clone(), config.http2_prior_knowledge);
        let tls = tls::prepare(&config.tls);
        Self { client: Arc::new(Client { config, tls, hosts, emitter }) }
    }

    /// Reads the pool's figures, and warms it up.
    #[must_use]
    pub fn pool(&self) -> PoolHandle {
        PoolHandle::new(Arc::clone(&self.client) as Arc<dyn PoolControl>)
    }
}

impl Service<Request<Body>> for HyperTransport {
    type Response = Response<ResponseBody>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // The call itself waits for a connection, because its host isn't known before.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> ResponseFuture {
        let client = Arc::clone(&self.client);
        let context = request.extensions().get::<Context>().cloned();
        let decoding = Decoding::ask(&client.config, &mut request);
        #[cfg(feature = "redirect")]
        if client.config.max_redirects > 0 {
            let sent = redirect::follow(client, request, context.clone());
            return Box::pin(finish(sent, context, decoding));
        }
        Box::pin(finish(client.send(request, context.clone()), context, decoding))
    }
}

async fn finish(
    sent: impl Future<Output = Result<Response<Received>, Error>>,
    context: Option<Context>,
    decoding: Decoding,
) -> Result<Response<ResponseBody>, Error> {
    match sent.await {
        Ok(response) => Ok(decoding.decode(response).await),
        // The error belongs to this call.
        Err(error) => Err(Error::from_client(error, context.as_ref())),
    }
}

impl PoolControl for Client {
    fn figures(&self) -> PoolFigures {
        self.hosts.figures()
    }

    fn expiries(&self) -> Vec<Expiry> {
        let ours = tls::client_expiry(&self.tls);
        let ours =
            ours.map(|at| Expiry { credential: Credential::ClientCertificate, host: None, at });
        self.hosts.expiries().into_iter().chain(ours).collect()
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
