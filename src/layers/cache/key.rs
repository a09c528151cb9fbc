use std::fmt;
use std::sync::Arc;

use http::header::{HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Uri};
use uuid::Uuid;

use crate::freshness::names_credential;
use crate::rt::Rng;

/// Under which an answer is stored: the URI and the partition of who asks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The partition, a line end, the URI.
    text: String,
    partition_len: usize,
}

/// An extension of a request: whose cached answers it shares, such as a tenant's id.
///
/// Two calls share a stored answer only if they have the same partition. Without this extension, it is
/// made from the request's own credentials, if it has any; else it is one for all. Credentials are header
/// values that are marked [sensitive](HeaderValue::set_sensitive), and headers whose names have `auth`,
/// `cookie`, `token`, `secret`, `session`, `api-key`, `apikey` or `subscription-key` in them. With it, they
/// are ignored, so that a rotated token finds what was stored before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CachePartition(Arc<str>);

/// An extension of a request: how the cache treats this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CachePolicy {
    /// The call goes past the cache: it gets nothing from there, and nothing of it is stored.
    Bypass,
}

/// Makes partitions of credentials, by a hash whose secret is drawn for each cache.
#[derive(Clone)]
pub(super) struct Partitions {
    secret: Uuid,
}

impl CacheKey {
    /// The URI: scheme and host in lower case, without a default port.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.text[self.partition_len + 1..]
    }

    /// The partition; empty for what all share. Of credentials it holds only a hash. A `Host` header that
    /// isn't the URI's host is a line of its own, in lower case.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.text[..self.partition_len]
    }

    /// The key for a URI, in a partition.
    pub(super) fn new(uri: &Uri, headers: &HeaderMap, partition: &str) -> Self {
        let path = uri.path_and_query().map_or(1, |path| path.as_str().len());
        let mut text = String::with_capacity(partition.len() + path + 48);
        // A line end in a partition must not move its borders.
        text.extend(partition.chars().map(|sign| if sign == '\n' { ' ' } else { sign }));
        if let Some(host) = other_host(uri, headers) {
            text.push('\n');
            // Bytes that aren't UTF-8 become one sign, so they are kept as numbers.
            text.extend(host.as_bytes().iter().map(|byte| char::from(byte.to_ascii_lowercase())));
        }
        let partition_len = text.len();
        text.push('\n');
        write_uri(&mut text, uri, headers);
        Self { text, partition_len }
    }

    pub(super) fn of<B>(request: &Request<B>, partitions: &Partitions) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let named = match request.extensions().is_empty() {
            true => None,
            false => request.extensions().get::<CachePartition>(),
        };
        match named {
            Some(CachePartition(name)) => Self::new(uri, headers, &format!("named {name}")),
            None => match partitions.of(headers) {
                Some(hash) => Self::new(uri, headers, &hash),
                None => Self::new(uri, headers, ""),
            },
        }
    }

    /// Whether its answers are given to all who ask.
    pub(super) fn is_for_all(&self) -> bool {
        self.partition().split('\n').next() == Some("")
    }

    /// The key for a normalised URI, of what all share.
    pub(super) fn for_all(uri: &str) -> Self {
        Self { text: format!("\n{uri}"), partition_len: 0 }
    }

    #[cfg(feature = "cache")]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }
}

/// The `Host` header of a request, if it isn't the URI's: it is sent, so it chooses the answer.
fn other_host<'a>(uri: &Uri, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    let named = headers.get(HOST)?;
    let authority = uri.authority()?.as_str();
    let own = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!named.as_bytes().eq_ignore_ascii_case(own.as_bytes())).then_some(named)
}

/// The normal form of a URI, as keys have it.
pub(super) fn normalised(uri: &Uri, headers: &HeaderMap) -> String {
    let mut text = String::new();
    write_uri(&mut text, uri, headers);
    text
}

fn write_uri(text: &mut String, uri: &Uri, headers: &HeaderMap) {
    let scheme = uri.scheme_str().unwrap_or("http");
    let is_https = scheme.eq_ignore_ascii_case("https");
    let lower = |text: &mut String, part: &str| {
        text.extend(part.chars().map(|sign| sign.to_ascii_lowercase()));
    };
    lower(text, scheme);
    text.push_str("://");
    match (uri.host(), headers.get(HOST).and_then(|host| host.to_str().ok())) {
        (Some(host), _) => lower(text, host),
        (None, Some(host)) => lower(text, host),
        (None, None) => {}
    }
    if let Some(port) = uri.port_u16().filter(|port| *port != if is_https { 443 } else { 80 }) {
        text.push(':');
        text.push_str(&port.to_string());
    }
    let path = uri.path();
    text.push_str(if path.is_empty() { "/" } else { path });
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
}

impl CachePartition {
    /// The partition of this name.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }
}

impl Partitions {
    pub(super) fn new(rng: &Rng) -> Self {
        Self { secret: Uuid::from_bytes(rng.id_bytes()) }
    }

    /// The partition of who sends these headers; `None` if they name nobody.
    fn of(&self, headers: &HeaderMap) -> Option<String> {
        let is_credential = |(name, value): &(&HeaderName, &HeaderValue)| {
            value.is_sensitive() || names_credential(name)
        };
        let mut credentials: Vec<_> = headers.iter().filter(is_credential).collect();
        credentials.sort_by_key(|(name, _)| name.as_str());
        let mut told = Vec::new();
        for (name, value) in credentials {
            told.extend_from_slice(name.as_str().as_bytes());
            told.push(b':');
            told.extend_from_slice(value.as_bytes());
            told.push(b'\n');
        }
        (!told.is_empty()).then(|| format!("hash {}", Uuid::new_v5(&self.secret, &told).simple()))
    }
}

/// It shows no URI, whose path and query may hold what must not be logged.
impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheKey").finish_non_exhaustive()
    }
}

/// It doesn't show the secret, with which a partition's credentials could be guessed.
impl fmt::Debug for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Partitions")
    }
}
