use std::fmt;

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, FieldType, Item, KeyRef, key_ref};

use super::error::MessageError;
use super::view::Message;

/// A component of a message that a signature covers (RFC 9421, 2).
///
/// By its name: a field in lower case (`content-type`), or one of `@method`, `@target-uri`, `@authority`,
/// `@scheme`, `@request-target`, `@path`, `@query`, and `@status` of an answer. The parameters `sf`, `key`,
/// `bs` and `tr` are not supported.
///
/// ```
/// use outrigger::sign::message::Component;
///
/// # fn main() -> Result<(), outrigger::sign::message::MessageError> {
/// let components = [
///     Component::try_from("@method")?,
///     Component::query_param("page size"),
///     Component::try_from("content-digest")?.of_request(), // of the request that is answered
/// ];
/// assert_eq!(components[1].to_string(), r#""@query-param";name="page%20size""#);
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq)]
pub struct Component {
    kind: Kind,
    of_request: bool,
    pub(super) item: Item,
    /// The item as text, by which two are the same.
    identifier: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
    /// The name, encoded.
    QueryParam(String),
    Status,
    Field(HeaderName),
}

impl Component {
    /// A parameter of the query, by its decoded name (RFC 9421, 2.2.8). One that is there more than once
    /// can't be signed.
    #[must_use]
    pub fn query_param(name: &str) -> Self {
        let name = encoded(name);
        let mut item = Item::new(text(QUERY_PARAM));
        item.params.insert(NAME.to_owned(), BareItem::String(text(&name)));
        Self::new(Kind::QueryParam(name), false, item)
    }

    /// Of the request that is answered (RFC 9421, 2.4), in the signature of an answer.
    #[must_use]
    pub fn of_request(mut self) -> Self {
        self.item.params.insert(REQ.to_owned(), BareItem::Boolean(true));
        Self::new(self.kind, true, self.item)
    }

    /// What a signature's list has.
    pub(super) fn read(item: &Item) -> Result<Self, MessageError> {
        let unsupported = || MessageError::Unsupported(item.serialize());
        let name = item.bare_item.as_string().ok_or_else(unsupported)?.as_str();
        let (mut of_request, mut param) = (false, None);
        for (key, value) in &item.params {
            match (key.as_str(), value) {
                ("req", BareItem::Boolean(true)) => of_request = true,
                ("name", BareItem::String(name)) => param = Some(name.as_str()),
                _ => return Err(unsupported()),
            }
        }
        let kind = match (name, param) {
            (QUERY_PARAM, Some(name)) => Some(Kind::QueryParam(name.to_owned())),
            (_, Some(_)) => None,
            (name, None) => Kind::named(name),
        };
        Ok(Self::new(kind.ok_or_else(unsupported)?, of_request, item.clone()))
    }

    pub(super) fn field(&self) -> Option<&HeaderName> {
        match &self.kind {
            Kind::Field(name) if !self.of_request => Some(name),
            _ => None,
        }
    }

    /// Whether it has the authority that a request names.
    pub(super) fn has_authority(&self) -> bool {
        matches!(self.kind, Kind::Authority | Kind::TargetUri)
    }

    pub(super) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Whether a request that isn't sent yet can have it.
    pub(super) fn is_of_requests(&self) -> bool {
        !self.of_request && self.kind != Kind::Status
    }

    /// Its value in a message (RFC 9421, 2.1 and 2.2).
    pub(super) fn value(&self, message: &Message<'_>) -> Result<String, MessageError> {
        let value = || {
            let message = if self.of_request { message.answers? } else { message };
            match &self.kind {
                Kind::Field(name) => field(message.headers, name),
                Kind::Status => message.status().map(|status| status.as_str().to_owned()),
                Kind::Method => message.method().map(ToString::to_string),
                Kind::Authority => message.authority(),
                Kind::Scheme => message.scheme().map(str::to_ascii_lowercase),
                Kind::TargetUri => message.target_uri(),
                Kind::RequestTarget => message.request_target(),
                Kind::Path => message.uri().map(|uri| uri.path().to_owned()),
                Kind::Query => {
                    message.uri().map(|uri| format!("?{}", uri.query().unwrap_or_default()))
                }
                Kind::QueryParam(name) => param(message.uri()?.query()?, name),
            }
        };
        value().ok_or_else(|| MessageError::Absent(self.identifier.clone()))
    }

    fn new(kind: Kind, of_request: bool, item: Item) -> Self {
        Self { kind, of_request, identifier: item.serialize(), item }
    }
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "@method" => Self::Method,
            "@target-uri" => Self::TargetUri,
            "@authority" => Self::Authority,
            "@scheme" => Self::Scheme,
            "@request-target" => Self::RequestTarget,
            "@path" => Self::Path,
            "@query" => Self::Query,
            "@status" => Self::Status,
            // Fields' names are in lower case (RFC 9421, 2.1).
            name if name.bytes().any(|byte| byte.is_ascii_uppercase()) => return None,
            name => Self::Field(name.parse().ok()?),
        })
    }
}

impl TryFrom<&str> for Component {
    type Error = MessageError;

    fn try_from(name: &str) -> Result<Self, MessageError> {
        let unsupported = || MessageError::Unsupported(name.to_owned());
        let kind = Kind::named(name).ok_or_else(unsupported)?;
        Ok(Self::new(kind, false, Item::new(text(name))))
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Component({self})")
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.identifier)
    }
}

/// The values of all lines of a field, trimmed and joined (RFC 9421, 2.1). No line is folded: neither
/// HTTP/1.1's parser nor [`HeaderValue`](http::HeaderValue) lets one in.
pub(super) fn field(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Option<Vec<_>> = headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().ok().map(str::trim_ascii))
        .collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(", "))
}

/// The value of the parameter that is there once (RFC 9421, 2.2.8).
fn param(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut found = pairs.filter(|(key, _)| encoded(&decoded(key)) == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(encoded(&decoded(value))),
        _ => None,
    }
}

/// Of `application/x-www-form-urlencoded` (WHATWG URL, 5.1).
fn decoded(text: &str) -> String {
    let digit = |at: Option<&u8>| char::from(*at?).to_digit(16);
    let (bytes, mut plain, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let coded = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2)));
        let (byte, length) = match (byte, coded) {
            (b'+', _) => (b' ', 1),
            (b'%', Some((high, low))) => ((high * 16 + low) as u8, 3),
            (byte, _) => (*byte, 1),
        };
        plain.push(byte);
        at += length;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// In percent-encoding, with the set of `application/x-www-form-urlencoded` (WHATWG URL, 1.3).
fn encoded(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut coded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                coded.push(byte.into());
            }
            byte => drop(write!(coded, "%{byte:02X}")),
        }
        coded
    })
}

/// A name or an encoded text, which are printable ASCII.
fn text(text: &str) -> sfv::String {
    sfv::String::from_string(text.to_owned()).unwrap_or_else(|(error, _)| panic!("{error}"))
}

const QUERY_PARAM: &str = "@query-param";
const NAME: &KeyRef = key_ref("name");
const REQ: &KeyRef = key_ref("req");
