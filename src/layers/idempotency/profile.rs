use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::context::{IdempotencyKey, KEY_HEADER};

/// How one provider wants its keys.
#[derive(Clone, Debug)]
pub struct KeyProfile {
    pub(crate) header: Option<HeaderName>,
    pub(crate) form: Form,
    pub(crate) longest: usize,
    pub(crate) lifetime: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Bare,
    /// A structured field's string (RFC 9651, 3.3.3).
    Quoted,
}

impl KeyProfile {
    /// Any header, bare, at most 255 characters, remembered for 24 h.
    #[must_use]
    pub fn header(header: HeaderName) -> Self {
        Self { header: Some(header), form: Form::Bare, longest: 255, lifetime: DAY }
    }

    /// `Idempotency-Key` as a quoted string, by the IETF draft.
    #[must_use]
    pub fn ietf() -> Self {
        Self { form: Form::Quoted, ..Self::header(KEY_HEADER) }
    }

    /// Stripe.
    #[must_use]
    pub fn stripe() -> Self {
        Self::header(KEY_HEADER)
    }

    /// Adyen.
    #[must_use]
    pub fn adyen() -> Self {
        Self::header(KEY_HEADER).longest(64).lifetime(7 * DAY)
    }

    /// PayPal.
    #[must_use]
    pub fn paypal() -> Self {
        Self::header(HeaderName::from_static("paypal-request-id")).longest(38).lifetime(DAY / 4)
    }

    /// Square: the key is a field of the body, written by a
    /// [hook](super::IdempotencyLayer::place_with).
    #[must_use]
    pub fn square() -> Self {
        Self { header: None, ..Self::header(KEY_HEADER) }.longest(45)
    }

    /// The longest key that the provider takes, in characters: at least 36, which a UUID needs,
    /// and 38 in quotes.
    #[must_use]
    pub fn longest(mut self, characters: usize) -> Self {
        self.longest = characters;
        self
    }

    /// How long the provider remembers a key. Repeating a call after that is no longer safe, and
    /// [`retry`](crate::retry) doesn't.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// A key that the provider takes; always the same for the same key.
    pub(super) fn fit(&self, key: HeaderValue) -> HeaderValue {
        let written = match self.form {
            Form::Quoted if !is_quoted(key.as_bytes()) => quoted(key.as_bytes()),
            _ => key.clone(),
        };
        match self.form {
            _ if written.len() <= self.longest => written,
            Form::Bare => derived(&key),
            Form::Quoted => quoted(derived(&key).as_bytes()),
        }
    }

    /// What a UUID needs.
    pub(super) fn shortest_limit(&self) -> usize {
        match self.form {
            Form::Bare => UUID,
            Form::Quoted => UUID + 2,
        }
    }
}

fn derived(key: &HeaderValue) -> HeaderValue {
    IdempotencyKey::from_business_key(key.as_bytes()).into_header()
}

/// Whether it is a structured string already: in quotes, with what is inside of them escaped.
fn is_quoted(key: &[u8]) -> bool {
    let [b'"', inside @ .., b'"'] = key else {
        return false;
    };
    let mut bytes = inside.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if matches!(bytes.next(), Some(b'"' | b'\\')) => {}
            b'\\' | b'"' => return false,
            _ => {}
        }
    }
    true
}

fn quoted(key: &[u8]) -> HeaderValue {
    let mut text = Vec::with_capacity(key.len() + 2);
    text.push(b'"');
    for &byte in key {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.push(b'"');
    HeaderValue::from_bytes(&text).expect("a header value stays one between quotes")
}

/// The characters of a UUID.
const UUID: usize = 36;
const DAY: Duration = Duration::from_secs(24 * 3600);
