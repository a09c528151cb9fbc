use std::fmt;

use http::uri::{Authority, Scheme};
use http::{Method, Request, Uri};

use super::names::{BusinessKey, PathTemplate};

/// A call's method and host, which are fit for every log.
///
/// The path and the query are left out, because they may hold ids, names and secrets.
#[derive(Clone, Debug)]
pub struct CallTarget {
    method: Method,
    scheme: Option<Scheme>,
    authority: Option<Authority>,
    path: Option<PathTemplate>,
    business_key: Option<BusinessKey>,
}

impl CallTarget {
    /// The target of `request`.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let extensions = request.extensions();
        let others = (!extensions.is_empty()).then_some(extensions);
        Self {
            method: request.method().clone(),
            scheme: request.uri().scheme().cloned(),
            authority: request.uri().authority().and_then(without_credentials),
            path: others.and_then(|others| others.get().cloned()),
            business_key: others.and_then(|others| others.get().cloned()),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URI's scheme.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_ref().map(Scheme::as_str)
    }

    /// The host, without credentials.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.authority.as_ref().map(Authority::host)
    }

    /// The port; the scheme's default if the URI has none.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        let named = self.authority.as_ref().and_then(Authority::port_u16);
        named.or_else(|| default_port(self.scheme()?))
    }

    /// The path's template, if the request had one.
    #[must_use]
    pub fn path_template(&self) -> Option<&PathTemplate> {
        self.path.as_ref()
    }

    /// The business key, if the request had one.
    #[must_use]
    pub fn business_key(&self) -> Option<&BusinessKey> {
        self.business_key.as_ref()
    }
}

/// The host and the port of a request, for an error's text. To keep it costs no text: that is made when
/// somebody asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    authority: Authority,
    /// The scheme's port.
    default_port: Option<u16>,
}

impl Peer {
    /// That of `uri`; `None` if it names no host.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?.clone();
        Some(Self { authority, default_port: uri.scheme_str().and_then(default_port) })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.authority.host())?;
        let port = self.authority.port_u16().or(self.default_port);
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// The host and its port, without user name and password, because `Debug` shows them.
fn without_credentials(authority: &Authority) -> Option<Authority> {
    match authority.as_str().rsplit_once('@') {
        None => Some(authority.clone()),
        Some((_, host)) => host.parse().ok(),
    }
}
