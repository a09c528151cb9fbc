use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Uri};
use uuid::Uuid;

use super::asked::Glance;
use crate::freshness::{names_credential, names_key};

/// Under which an answer is stored: the URI and the partition of who asks.
#[derive(Clone, PartialEq, Eq)]
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
/// `cookie`, `token`, `secret`, `session`, `api-key`, `apikey` or `subscription-key` in them, or end in `key`,
/// but for `idempotency-key`, `surrogate-key` and `sec-websocket-key`. With it, they are ignored, so that a
/// rotated token finds what was stored before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CachePartition(Arc<str>);

/// An extension of a request: how the cache treats this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CachePolicy {
    /// The call goes past the cache: it gets nothing from there, and nothing of it is stored.
    Bypass,
}

/// Makes partitions of credentials, by a hash of 128 bits whose keys are drawn for each cache.
pub(super) struct Partitions {
    /// Each of SipHash-1-3, whose results can't be foretold without its key.
    halves: [RandomState; 2],
}

impl CacheKey {
    /// The URI: scheme and host in lower case, without a default port.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.text[self.partition_len + 1..]
    }

    /// The partition; empty for what all share. Of credentials it holds only a hash. A `Host` header that
    /// isn't the URI's host is a line of its own, in lower case. A line end in a name is written as `\n`, and
    /// `\` as `\\`.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.text[..self.partition_len]
    }

    /// The URI's scheme, host and port, as far as they stand in it.
    #[must_use]
    pub fn origin(&self) -> &str {
        origin_of(self.uri())
    }

    /// The key of a request, in the memory of this text.
    pub(super) fn in_text<B>(
        mut text: String,
        request: &Request<B>,
        glance: &Glance<'_>,
        partitions: &Partitions,
    ) -> Self {
        let named = match request.extensions().is_empty() {
            true => None,
            false => request.extensions().get::<CachePartition>(),
        };
        let (uri, host) = (request.uri(), glance.host);
        text.clear();
        text.reserve(room_for(uri) + named.map_or(HASH_LEN, |it| it.0.len()));
        match named {
            Some(CachePartition(name)) => {
                text.push_str("named ");
                // A line end in a partition must not move its borders.
                match name.contains(['\n', '\\']) {
                    true => text.push_str(&name.replace('\\', "\\\\").replace('\n', "\\n")),
                    false => text.push_str(name),
                }
            }
            None if glance.has_credentials => partitions.write(request.headers(), &mut text),
            None => {}
        }
        if let Some(host) = host.filter(|host| is_other_host(uri, host)) {
            text.push('\n');
            // Bytes that aren't UTF-8 become one sign, so they are kept as numbers.
            text.extend(host.as_bytes().iter().map(|byte| char::from(byte.to_ascii_lowercase())));
        }
        let partition_len = text.len();
        text.push('\n');
        write_uri(&mut text, uri, host);
        Self { text, partition_len }
    }

    /// The memory of its text, for another key.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The key for a normalised URI, for tests of what has keys.
    #[cfg(test)]
    pub(super) fn in_partition(partition: &str, uri: &str) -> Self {
        Self { text: format!("{partition}\n{uri}"), partition_len: partition.len() }
    }

    /// Whether its answers are given to all who ask.
    pub(super) fn is_for_all(&self) -> bool {
        self.partition().split('\n').next() == Some("")
    }

    #[cfg(feature = "cache")]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }
}

/// Its text tells it from others, but for very few.
impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.text.as_bytes());
    }
}

/// Whether a request's `Host` header isn't the URI's: it is sent, so it chooses the answer.
fn is_other_host(uri: &Uri, named: &HeaderValue) -> bool {
    uri.authority().is_some_and(|authority| {
        let authority = authority.as_str();
        let own = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        !named.as_bytes().eq_ignore_ascii_case(own.as_bytes())
    })
}

/// The normal form of a URI, as keys have it.
pub(super) fn normalised(uri: &Uri, host: Option<&HeaderValue>) -> String {
    let mut text = String::with_capacity(room_for(uri));
    write_uri(&mut text, uri, host);
    text
}

/// The scheme, the host and the port of a normalised URI.
pub(super) fn origin_of(uri: &str) -> &str {
    let host = uri.find("://").map_or(0, |at| at + 3);
    let len = uri[host..].find('/').map_or(uri.len(), |at| host + at);
    &uri[..len]
}

fn write_uri(text: &mut String, uri: &Uri, host: Option<&HeaderValue>) {
    let scheme = uri.scheme_str().unwrap_or("http");
    let from = text.len();
    text.push_str(scheme);
    text.push_str("://");
    match uri.authority().map(http::uri::Authority::as_str) {
        Some(plain) if !plain.bytes().any(|sign| matches!(sign, b':' | b'@')) => {
            text.push_str(plain);
        }
        Some(_) => {
            text.push_str(uri.host().unwrap_or_default());
            let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            if let Some(port) = uri.port_u16().filter(|port| *port != default) {
                text.push(':');
                text.push_str(&port.to_string());
            }
        }
        None => text.push_str(host.and_then(|host| host.to_str().ok()).unwrap_or_default()),
    }
    text[from..].make_ascii_lowercase();
    match uri.path_and_query().map(http::uri::PathAndQuery::as_str) {
        Some(whole) if whole.starts_with('/') => text.push_str(whole),
        other => {
            text.push('/');
            text.push_str(other.unwrap_or_default());
        }
    }
}

/// How long a URI's text is, with a scheme and the signs around it.
fn room_for(uri: &Uri) -> usize {
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    let path = uri.path_and_query().map_or(1, |path| path.as_str().len());
    authority + path + "\nhttps:///".len()
}

impl CachePartition {
    /// The partition of this name.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }
}

impl Partitions {
    pub(super) fn new() -> Self {
        Self { halves: [RandomState::new(), RandomState::new()] }
    }

    /// Writes the partition of who sends these headers, some of which are credentials.
    fn write(&self, headers: &HeaderMap, text: &mut String) {
        let is_credential =
            |(name, value): &(&HeaderName, &HeaderValue)| is_credential(name, value);
        let mut credentials = headers.iter().filter(is_credential);
        let mut halves = self.halves.each_ref().map(RandomState::build_hasher);
        let mut take = |(name, value): (&HeaderName, &HeaderValue)| {
            for half in &mut halves {
                half.write(name.as_str().as_bytes());
                half.write(b":");
                half.write(value.as_bytes());
                half.write(b"\n");
            }
        };
        match (credentials.next(), credentials.next()) {
            (Some(one), None) => take(one),
            // The same ones in another order are the same caller's.
            _ => {
                let mut all: Vec<_> = headers.iter().filter(is_credential).collect();
                all.sort_by_key(|(name, _)| name.as_str());
                all.into_iter().for_each(take);
            }
        }
        let [high, low] = halves.map(|half| half.finish());
        text.push_str("hash ");
        let hash = Uuid::from_u64_pair(high, low).simple();
        text.push_str(hash.encode_lower(&mut Uuid::encode_buffer()));
    }
}

/// Whether a header says who asks.
pub(super) fn is_credential(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || names_credential(name) || names_key(name)
}

/// `hash ` and 128 bits in hexadecimal digits.
const HASH_LEN: usize = 37;

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
