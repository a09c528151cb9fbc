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

/// An id that connects the log lines of a call with those of what caused it.
///
/// At most 128 letters, digits and `-._~:/+=`. Ids come from outside, and other text must not reach
/// a log or a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorrelationId(HeaderValue);

/// A caller's own idempotency key, put into a request's extensions.
///
/// With a key, an integration retries a POST. Give one only if this provider honours keys. Among layers that are
/// put together by hand, it is [`IdempotencyLayer`](crate::idempotency::IdempotencyLayer) that sends it: without
/// that layer, outside of retry, an extension has no effect.
///
/// ```
/// use outrigger::IdempotencyKey;
///
/// # fn main() -> Result<(), outrigger::context::InvalidId> {
/// # let mut request = http::Request::new(());
/// // Sent unchanged:
/// request.extensions_mut().insert(IdempotencyKey::new("order-1042-charge")?);
/// // Or derived from a business key of any length; the same text gives the same key:
/// request.extensions_mut().insert(IdempotencyKey::from_business_key("order 1042 / first charge"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(HeaderValue);

/// A text that isn't a valid id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId {
    what: &'static str,
    longest: usize,
}

/// The idempotency key of a call.
#[derive(Clone, Debug)]
pub(crate) struct KeyFact {
    pub(crate) value: HeaderValue,
    /// The caller gave it, so an earlier call may have used it.
    pub(crate) from_caller: bool,
    /// The provider honours it, as the caller says by giving one, or the integration by its
    /// profile. If not, the key is sent but doesn't make a retry safe.
    pub(crate) honoured: bool,
    /// How long after its first use the provider remembers it.
    pub(crate) lifetime: Duration,
}

// === impl CallId ===

impl CallId {
    pub(crate) fn mint(rng: &Rng) -> Self {
        Self(uuid::Builder::from_random_bytes(rng.id_bytes()).into_uuid())
    }

    /// Whether this is the id, as text.
    pub(crate) fn is_text(self, text: &str) -> bool {
        self.0.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]) == text
    }

    /// The id as a header's value. It costs an allocation; clones cost none.
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
    /// Checks an id from outside. It must not be too long or hold other characters.
    pub fn new(id: impl AsRef<[u8]>) -> Result<Self, InvalidId> {
        let id = id.as_ref();
        checked(id, "correlation id").map(|()| Self(header_from(id)))
    }

    /// A header's value as an id, without copying it.
    pub(crate) fn from_header(value: &HeaderValue) -> Result<Self, InvalidId> {
        checked(value.as_bytes(), "correlation id").map(|()| Self(value.clone()))
    }

    /// An id that was made here.
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

    /// Derives a key from a business key of any length. The same text gives the same key, and the
    /// provider can't read the text from it (a name-based UUID, RFC 9562, 5.5).
    #[must_use]
    pub fn from_business_key(key: impl AsRef<[u8]>) -> Self {
        Self(header(Uuid::new_v5(&BUSINESS_KEYS, key.as_ref())))
    }

    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

impl TryFrom<&str> for IdempotencyKey {
    type Error = InvalidId;

    fn try_from(key: &str) -> Result<Self, InvalidId> {
        Self::new(key)
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidId;

    fn try_from(key: String) -> Result<Self, InvalidId> {
        Self::new(key)
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

/// Checks that the text of an id is fit for a log and a header.
fn checked(id: &[u8], what: &'static str) -> Result<(), InvalidId> {
    let suits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:/+=".contains(byte);
    match (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(suits) {
        true => Ok(()),
        false => Err(InvalidId { what, longest: LONGEST_ID }),
    }
}

/// A header value from bytes that were checked to be visible ASCII.
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

/// Long enough for a UUID, a W3C trace id or a gateway's composite id.
const LONGEST_ID: usize = 128;
/// The longest key that any of the known providers accepts.
const LONGEST_KEY: usize = 255;
/// The namespace of our name-based keys, so that they differ from those of other software.
const BUSINESS_KEYS: Uuid = Uuid::from_u128(0x6f75_7472_6967_4765_8272_6b65_7973_0001);
