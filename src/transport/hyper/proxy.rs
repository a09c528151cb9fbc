//! With proxies, as the environment names them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use tower_service::Service;

use super::config::HyperConfig;
use super::request::Forward;
use super::tcp::Tcp;
use crate::outcome::{BoxError, Error};

/// Which hosts are reached through which proxy; none by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies(Option<Arc<Matcher>>);

/// The way to a host.
#[derive(Clone, Debug)]
pub(super) enum Via {
    /// Straight, or to a proxy that forwards plain requests.
    Straight(Tcp),
    /// Through a proxy that sees nothing (RFC 9110, 9.3.6).
    Tunnel(Tunnel<Tcp>),
}

impl HyperConfig {
    /// Goes through the proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name,
    /// read now, as curl reads them. Off by default: what the environment says should not decide
    /// where a payment goes unless somebody wanted it to.
    pub fn proxy_from_env(mut self) -> Self {
        self.proxies = Proxies(Some(Arc::new(Matcher::from_env())));
        self
    }

    /// Goes through this proxy, `http://user:password@proxy.example:3128`, to every host but those
    /// that `except` lists as `NO_PROXY` does.
    pub fn proxy(mut self, proxy: &str, except: &str) -> Self {
        let matcher = Matcher::builder().all(proxy.to_owned()).no(except.to_owned()).build();
        self.proxies = Proxies(Some(Arc::new(matcher)));
        self
    }
}

impl Proxies {
    /// The way to the host of `to`, whom to connect to, and how requests are to be written then.
    pub(super) fn route(&self, to: Uri, tcp: Tcp) -> Result<(Via, Uri, Option<Forward>), Error> {
        let Some(proxy) = self.0.as_ref().and_then(|matcher| matcher.intercept(&to)) else {
            return Ok((Via::Straight(tcp), to, None));
        };
        if proxy.uri().scheme_str() != Some("http") {
            return Err(Error::unsendable("its proxy is not one over plain http"));
        }
        tcp.progress.to_proxy();
        let auth = proxy.basic_auth().cloned();
        if to.scheme_str() == Some("http") {
            let forward = Forward { auth };
            return Ok((Via::Straight(tcp), proxy.uri().clone(), Some(forward)));
        }
        let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
        let tunnel = match auth {
            Some(auth) => tunnel.with_auth(auth),
            None => tunnel,
        };
        Ok((Via::Tunnel(tunnel), to, None))
    }
}

impl Service<Uri> for Via {
    type Response = <Tcp as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Straight(tcp) => tcp.poll_ready(cx),
            Self::Tunnel(tunnel) => tunnel.poll_ready(cx).map_err(Into::into),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Straight(tcp) => tcp.call(to),
            Self::Tunnel(tunnel) => {
                let connecting = tunnel.call(to);
                Box::pin(async { connecting.await.map_err(Into::into) })
            }
        }
    }
}
