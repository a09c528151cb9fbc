use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use uuid::Uuid;

use crate::rt::Rng;

/// The id of one call, new for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(Uuid);

/// The id that ties a call to what caused it, in one log line after another.
///
/// At most 128 characters out of letters, digits and `-._~:/+=`: ids come from outside, and what
/// isn't one must not reach a log or a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(HeaderValue);

/// A caller's own idempotency key, put into a request's extensions.
///
/// It is your word that this provider honours keys: under it, a POST is repeated. To a provider that
/// ignores them, give none.
///
/// ```
/// use outrigger::IdempotencyKey;
///
/// # fn main() -> Result<(), outrigger::context::InvalidId> {
/// # let mut request = http::Request::new(());
/// // As it is:
/// request.extensions_mut().insert(IdempotencyKey::new("order-1042-charge")?);
/// // Or derived from what the business knows, however long, and always the same:
/// request.extensions_mut().insert(IdempotencyKey::from_business_key("order 1042 / first charge"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(HeaderValue);

/// A text that can't be an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId {
    what: &'static str,
    longest: usize,
}

/// The key of a call, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct KeyFact {
    pub(crate) value: HeaderValue,
    /// The caller brought it: an earlier call may have used it.
    pub(crate) from_caller: bool,
    /// Somebody said that the provider honours it: the caller, by bringing it, or the integration, by
    /// its profile. Without that it is sent, and makes nothing safe.
    pub(crate) honoured: bool,
    /// How long after its first use the provider remembers it.
    pub(crate) lifetime: Duration,
}

// === impl CallId ===

impl CallId {
    pub(crate) fn mint(rng: &Rng) -> Self {
        Self(uuid::Builder::from_random_bytes(rng.id_bytes()).into_uuid())
    }

    /// The id as a header's value: one allocation, and none for its clones.
    pub(crate) fn to_header(self) -> HeaderValue {
        header(self.0)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl CorrelationId ===

impl CorrelationId {
    /// An id from outside; refused if it is too long or holds what an id doesn't.
    pub fn new(id: impl AsRef<[u8]>) -> Result<Self, InvalidId> {
        let id = id.as_ref();
        checked(id, "correlation id").map(|()| Self(header_from(id)))
    }

    /// A header's value as an id, without copying it.
    pub(crate) fn from_header(value: &HeaderValue) -> Result<Self, InvalidId> {
        checked(value.as_bytes(), "correlation id").map(|()| Self(value.clone()))
    }

    /// An id of our own making.
    pub(crate) fn from_minted(value: HeaderValue) -> Self {
        Self(value)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only visible ASCII passes the check.
        self.0.to_str().unwrap_or_default()
    }

    /// The id as a header's value.
    #[must_use]
    pub fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidId;

    fn from_str(id: &str) -> Result<Self, InvalidId> {
        Self::new(id)
    }
}

// === impl IdempotencyKey ===

impl IdempotencyKey {
    /// A key as it is to be sent: visible ASCII, at most 255 characters.
    pub fn new(key: impl AsRef<str>) -> Result<Self, InvalidId> {
        let key = key.as_ref().as_bytes();
        let fits = (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        match fits {
            true => Ok(Self(header_from(key))),
            false => Err(InvalidId { what: "idempotency key", longest: LONGEST_KEY }),
        }
    }

    /// A key derived from what the business knows of the operation: always the same for the same
    /// text, of any length, and not readable by the provider (a name-based UUID, RFC 9562, 5.5).
    #[must_use]
    pub fn from_business_key(key: impl AsRef<[u8]>) -> Self {
        Self(header(Uuid::new_v5(&BUSINESS_KEYS, key.as_ref())))
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

// === impl InvalidId ===

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, longest } = self;
        write!(f, "{what} must be 1 to {longest} visible ascii characters that suit an id")
    }
}

impl std::error::Error for InvalidId {}

/// Whether the text of an id may be trusted with a log and a header.
fn checked(id: &[u8], what: &'static str) -> Result<(), InvalidId> {
    let suits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/+=".contains(byte);
    match (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(suits) {
        true => Ok(()),
        false => Err(InvalidId { what, longest: LONGEST_ID }),
    }
}

/// A header value from bytes that were found to be visible ASCII.
fn header_from(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).expect("visible ascii is a header value")
}

fn header(id: Uuid) -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    id.hyphenated().encode_lower(&mut text);
    // `from_owner` is one allocation and clones without another; a copied slice makes a second one
    // the first time it is cloned.
    HeaderValue::from_maybe_shared(Bytes::from_owner(text)).expect("a uuid is a header value")
}

/// Room for a UUID, a W3C trace id or a gateway's composite id, and not for a novel.
const LONGEST_ID: usize = 128;
/// The longest that any of the known providers takes.
const LONGEST_KEY: usize = 255;
/// The namespace of our name-based keys, so that they meet nobody else's.
const BUSINESS_KEYS: Uuid = Uuid::from_u128(0x6f75_7472_6967_4765_8272_6b65_7973_0001);
