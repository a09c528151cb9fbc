//! With proxies, as the environment names them.

use std::env;
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
use crate::settings::Errors;

/// Which hosts are reached through which proxy; none by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    matcher: Option<Arc<Matcher>>,
    /// The settings that name no proxy that can be used.
    wrong: Vec<&'static str>,
}

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
    ///
    /// Where one of them names no proxy that can be used, the settings are refused.
    pub fn proxy_from_env(mut self) -> Self {
        let wrong = wrong_of_env(|name| Some(env::var_os(name)?.to_string_lossy().into_owned()));
        self.proxies = Proxies { matcher: Some(Arc::new(Matcher::from_env())), wrong };
        self
    }

    /// Goes through this proxy, `http://user:password@proxy.example:3128`, to every host but those
    /// that `except` lists as `NO_PROXY` does.
    pub fn proxy(mut self, proxy: &str, except: &str) -> Self {
        let matcher = Matcher::builder().all(proxy.to_owned()).no(except.to_owned()).build();
        let wrong = if is_usable(proxy) { Vec::new() } else { vec!["proxy"] };
        self.proxies = Proxies { matcher: Some(Arc::new(matcher)), wrong };
        self
    }
}

impl Proxies {
    /// Refuses proxies that can't be used: requests would go straight.
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        for name in &self.wrong {
            errors.add(
                name,
                "it must be like http://user:password@proxy.example:3128, over plain http",
            );
        }
    }

    /// The way to the host of `to`, whom to connect to, and how requests are to be written then.
    pub(super) fn route(&self, to: Uri, tcp: Tcp) -> Result<(Via, Uri, Option<Forward>), Error> {
        let Some(proxy) = self.matcher.as_ref().and_then(|matcher| matcher.intercept(&to)) else {
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

/// The variables that should name a proxy, and name none that can be used.
fn wrong_of_env(read: impl Fn(&str) -> Option<String>) -> Vec<&'static str> {
    // As for the matcher: a CGI program's `HTTP_PROXY` comes from its caller.
    if read("REQUEST_METHOD").is_some() {
        return Vec::new();
    }
    let value = |names: [&str; 2]| {
        let [upper, lower] = names;
        read(upper).or_else(|| read(lower)).filter(|proxy| !proxy.is_empty())
    };
    let (http, https) =
        (value(["HTTP_PROXY", "http_proxy"]), value(["HTTPS_PROXY", "https_proxy"]));
    // It is for those that have no proxy of their own.
    let all = value(["ALL_PROXY", "all_proxy"]).filter(|_| http.is_none() || https.is_none());
    let named = [("HTTP_PROXY", http), ("HTTPS_PROXY", https), ("ALL_PROXY", all)];
    let is_wrong = |proxy: Option<String>| proxy.is_some_and(|proxy| !is_usable(&proxy));
    named.into_iter().filter_map(|(name, proxy)| is_wrong(proxy).then_some(name)).collect()
}

/// Whether a text names a proxy, and one that is spoken to over plain http.
fn is_usable(proxy: &str) -> bool {
    let matcher = Matcher::builder().all(proxy.to_owned()).build();
    let intercepted = matcher.intercept(&Uri::from_static("http://provider.example/"));
    intercepted.is_some_and(|proxy| proxy.uri().scheme_str() == Some("http"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environments_proxies_are_checked_where_they_count() {
        const PROXY: &str = "http://proxy.example:3128";
        let wrong = |set: &[(&str, &str)]| {
            wrong_of_env(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        for (set, expected) in [
            (vec![], vec![]),
            (vec![("HTTPS_PROXY", PROXY), ("http_proxy", "proxy.example:3128")], vec![]),
            (vec![("HTTPS_PROXY", "")], vec![]),
            (vec![("https_proxy", "htp://proxy.example")], vec!["HTTPS_PROXY"]),
            (vec![("HTTP_PROXY", "proxy example"), ("http_proxy", PROXY)], vec!["HTTP_PROXY"]),
            (vec![("ALL_PROXY", "socks5://127.0.0.1:9")], vec!["ALL_PROXY"]),
            (
                vec![("all_proxy", "socks://[::1]"), ("HTTP_PROXY", PROXY), ("HTTPS_PROXY", PROXY)],
                vec![],
            ),
            (vec![("HTTP_PROXY", "no proxy"), ("REQUEST_METHOD", "GET")], vec![]),
        ] {
            assert_eq!(wrong(&set), expected, "{set:?}");
        }
    }
}
