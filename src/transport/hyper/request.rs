//! Rewrites requests for the kind of their connection.

use http::header::{CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Uri, Version};
use http_body::Body as _;

use super::http1_io::Exchange;
use crate::body::Body;
use crate::context::UploadProgress;
use crate::outcome::Error;
use crate::rt;
use crate::transport::hop::{expects_body, refuse_credentials};

/// The facts of an HTTP/1.1 connection for requests that are sent over it.
#[derive(Debug)]
pub(super) struct Http1 {
    /// How requests are written, if for a proxy.
    pub(super) forward: Option<Forward>,
    pub(super) exchange: Exchange,
}

/// How a request is written for a forwarding proxy.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    pub(super) auth: Option<HeaderValue>,
}

/// Refuses requests that no connection of this client can carry.
pub(super) fn check(request: &Request<Body>) -> Result<(), Error> {
    let (scheme, authority) = (request.uri().scheme(), request.uri().authority());
    if scheme.is_none() || authority.is_none() {
        return Err(unnamed());
    }
    refuse_credentials(request.uri())?;
    if request.method() == Method::CONNECT {
        return Err(Error::unsendable("tunnels (CONNECT) are not made here"));
    }
    Ok(())
}

/// A URI names no host.
pub(super) fn unnamed() -> Error {
    Error::unsendable("its uri is not absolute: give it a scheme and a host")
}

/// The request has no connection yet, so no limit on its upload runs.
pub(super) fn wait(request: &Request<Body>) {
    if let Some(upload) = request.extensions().get::<UploadProgress>() {
        upload.wait();
    }
}

/// Over HTTP/1.1, the target is a path and the host a header; for a proxy, the target stays absolute
/// (RFC 9112, 3.2). The connection is told what comes.
pub(super) fn for_http1(request: &mut Request<Body>, absolute: &Uri, http1: &Http1) {
    http1.exchange.begin(request.extensions().get::<UploadProgress>().cloned());
    if request.version() != Version::HTTP_10 {
        *request.version_mut() = Version::HTTP_11;
    }
    if request.body().is_end_stream()
        && expects_body(request.method())
        && !request.headers().contains_key(TRANSFER_ENCODING)
    {
        let none = HeaderValue::from_static("0");
        request.headers_mut().entry(CONTENT_LENGTH).or_insert(none);
    }
    if !request.headers().contains_key(HOST)
        && let Some(host) = host(absolute)
    {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(forward) = &http1.forward {
        request.uri_mut().clone_from(absolute);
        if let Some(auth) = &forward.auth {
            request.headers_mut().insert(PROXY_AUTHORIZATION, auth.clone());
        }
        return;
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = absolute.path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
}

/// Over HTTP/2, the target is absolute and the version its own.
pub(super) fn for_http2(request: &mut Request<Body>, absolute: &Uri) {
    if let Some(upload) = request.extensions().get::<UploadProgress>() {
        upload.count_writes(false);
        upload.go(rt::now());
    }
    *request.version_mut() = Version::HTTP_2;
    request.uri_mut().clone_from(absolute);
}

/// The host, with its port unless that is the scheme's own.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let host = uri.host()?;
    let own = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    match uri.port_u16().filter(|port| *port != own) {
        Some(port) => HeaderValue::from_str(&format!("{host}:{port}")).ok(),
        None => HeaderValue::from_str(host).ok(),
    }
}
