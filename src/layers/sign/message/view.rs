use std::fmt;

use http::header::HOST;
use http::{HeaderMap, Method, StatusCode, Uri, request, response};

/// A message whose signature is checked: a request or an answer. `Debug` shows no headers.
///
/// ```
/// use http::{Request, Response};
/// use outrigger::sign::message::Message;
///
/// let (asked, body) = Request::post("https://api.test/orders").body("an order")?.into_parts();
/// let request = Message::request(&asked).body(body.as_bytes());
/// let (answer, body) = Response::new("done").into_parts();
/// let answer = Message::response(&answer).body(body.as_bytes()).answering(&request);
/// # let _ = answer;
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct Message<'a> {
    start: Start<'a>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Option<&'a [u8]>,
    pub(super) answers: Option<&'a Self>,
    scheme: &'a str,
}

#[derive(Clone, Copy)]
enum Start<'a> {
    Request(&'a Method, &'a Uri),
    Response(StatusCode),
}

impl<'a> Message<'a> {
    /// A request: as it is sent, with an absolute URI, or as a server has it, with a `host`.
    pub fn request(head: &'a request::Parts) -> Self {
        Self::asking(&head.method, &head.uri, &head.headers)
    }

    /// An answer.
    pub fn response(head: &'a response::Parts) -> Self {
        Self::of(Start::Response(head.status), &head.headers)
    }

    /// With all bytes of its body, as they were sent: before anything was decompressed.
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// An answer to this request.
    pub fn answering(mut self, request: &'a Self) -> Self {
        self.answers = Some(request);
        self
    }

    /// The scheme of a request that a server has got, whose URI has none; `https` by default.
    pub fn scheme_of_server(mut self, scheme: &'a str) -> Self {
        self.scheme = scheme;
        self
    }

    pub(super) fn asking(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self::of(Start::Request(method, uri), headers)
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        match self.start {
            Start::Response(status) => Some(status),
            Start::Request(..) => None,
        }
    }

    pub(super) fn method(&self) -> Option<&'a Method> {
        match self.start {
            Start::Request(method, _) => Some(method),
            Start::Response(_) => None,
        }
    }

    pub(super) fn uri(&self) -> Option<&'a Uri> {
        match self.start {
            Start::Request(_, uri) => Some(uri),
            Start::Response(_) => None,
        }
    }

    pub(super) fn scheme(&self) -> Option<&'a str> {
        Some(self.uri()?.scheme_str().unwrap_or(self.scheme))
    }

    /// In lower case, without the scheme's own port (RFC 9421, 2.2.3).
    pub(super) fn authority(&self) -> Option<String> {
        let mut hosts = self.headers.get_all(HOST).iter();
        let authority = match (self.uri()?.authority(), hosts.next(), hosts.next()) {
            (Some(authority), ..) => authority.as_str(),
            (None, Some(host), None) => host.to_str().ok()?,
            _ => return None,
        };
        self.bare(authority)
    }

    /// Whether a `host` of its own names another authority than its URI.
    pub(super) fn has_other_host(&self) -> bool {
        let hosts = self.headers.get_all(HOST).iter();
        let mut hosts = hosts.map(|host| host.to_str().ok().and_then(|host| self.bare(host)));
        hosts.any(|host| host != self.authority())
    }

    fn bare(&self, authority: &str) -> Option<String> {
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host.trim_ascii().to_ascii_lowercase();
        let port = if self.scheme()?.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
        let bare = host.strip_suffix(port).or_else(|| host.strip_suffix(':')).unwrap_or(&host);
        Some(bare.to_owned())
    }

    /// Absolute (RFC 9421, 2.2.2), with the authority as it is signed.
    pub(super) fn target_uri(&self) -> Option<String> {
        let scheme = self.scheme()?.to_ascii_lowercase();
        Some(format!("{scheme}://{}{}", self.authority()?, self.path_and_query()?))
    }

    /// As it stands in HTTP/1.1's first line to an origin, and in HTTP/2's `:path` (RFC 9421, 2.2.5).
    pub(super) fn request_target(&self) -> Option<String> {
        match *self.method()? == Method::CONNECT {
            true => self.authority(),
            false => self.path_and_query(),
        }
    }

    /// An empty path is sent as a slash (RFC 9112, 3.2.1).
    fn path_and_query(&self) -> Option<String> {
        self.uri().map(|uri| uri.path_and_query().map_or_else(|| "/".into(), ToString::to_string))
    }

    fn of(start: Start<'a>, headers: &'a HeaderMap) -> Self {
        Self { start, headers, body: None, answers: None, scheme: "https" }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("method", &self.method())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
