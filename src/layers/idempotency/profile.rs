use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::context::IdempotencyKey;
use crate::replay::KEY_HEADER;

/// The form of one provider's keys, and whether it is known to honour them.
#[derive(Clone, Debug)]
pub struct KeyProfile {
    pub(crate) header: Option<HeaderName>,
    pub(crate) form: Form,
    pub(crate) max_len: usize,
    pub(crate) lifetime: Duration,
    pub(crate) honoured: Honoured,
}

/// Which keys the provider is known to honour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Honoured {
    /// Those that callers bring: a caller that brings one knows that the provider uses it.
    Caller,
    /// All, generated keys too.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Bare,
    /// A structured field's string (RFC 9651, 3.3.3).
    Quoted,
}

impl KeyProfile {
    /// Any header, bare, at most 255 characters, remembered for 24 h.
    ///
    /// A header's name doesn't say that the provider reads it: [`honours_keys`](Self::honours_keys) does.
    #[must_use]
    pub fn header(header: HeaderName) -> Self {
        let (form, honoured) = (Form::Bare, Honoured::Caller);
        Self { header: Some(header), form, max_len: 255, lifetime: DAY, honoured }
    }

    /// `Idempotency-Key` as a quoted string, by the IETF draft.
    ///
    /// The draft specifies how a key is written. Each provider publishes on which requests it honours
    /// keys, and for how long: declare that by [`honours_keys`](Self::honours_keys) and
    /// [`lifetime`](Self::lifetime).
    #[must_use]
    pub fn ietf() -> Self {
        Self { form: Form::Quoted, ..Self::header(KEY_HEADER) }
    }

    /// Stripe, which honours keys on all its POSTs: up to 255 characters, for 24 hours.
    #[must_use]
    pub fn stripe() -> Self {
        Self::header(KEY_HEADER).honours_keys()
    }

    /// Adyen, which honours keys on its POSTs: up to 64 characters, for 7 days.
    #[must_use]
    pub fn adyen() -> Self {
        Self::header(KEY_HEADER).max_len(64).lifetime(7 * DAY).honours_keys()
    }

    /// PayPal, which honours keys on the POSTs of its REST API that are documented with the header. If you
    /// call others too, use only keys that callers bring:
    /// [`KeySource::Caller`](super::KeySource::Caller).
    #[must_use]
    pub fn paypal() -> Self {
        let header = HeaderName::from_static("paypal-request-id");
        Self::header(header).max_len(38).lifetime(DAY / 4).honours_keys()
    }

    /// Square, which honours keys on all requests that have the field: the key is in the body, where a
    /// [hook](super::IdempotencyLayer::place_with) writes it. Without a hook there is no key.
    #[must_use]
    pub fn square() -> Self {
        Self { header: None, ..Self::header(KEY_HEADER) }.max_len(45).honours_keys()
    }

    /// Declares that the provider does nothing twice with one key, for its [`lifetime`](Self::lifetime).
    /// So a generated key makes it safe to send a POST again. Look it up in the provider's documentation
    /// first; most providers ignore keys, and do the work again.
    ///
    /// A key that a caller brings counts without this.
    #[must_use]
    pub fn honours_keys(mut self) -> Self {
        self.honoured = Honoured::All;
        self
    }

    /// The longest key that the provider accepts, in characters: at least 36, the length of a UUID, or
    /// 38 in quotes.
    #[must_use]
    pub fn max_len(mut self, characters: usize) -> Self {
        self.max_len = characters;
        self
    }

    /// The former name of [`max_len`](Self::max_len).
    #[doc(hidden)]
    #[must_use]
    pub fn longest(self, characters: usize) -> Self {
        self.max_len(characters)
    }

    /// How long the provider remembers a key. Repeating a call after that is not safe, and
    /// [`retry`](crate::retry) doesn't.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How long the provider remembers a key, if it honours it: a generated one, or one that a caller
    /// brings.
    #[cfg(feature = "outbox")]
    pub(crate) fn known_lifetime(&self, from_caller: bool) -> Option<Duration> {
        (from_caller || self.honoured == Honoured::All).then_some(self.lifetime)
    }

    /// The key as the provider accepts it; always the same for the same key.
    pub(super) fn fit(&self, key: HeaderValue) -> HeaderValue {
        let written = match self.form {
            Form::Quoted if !is_quoted(key.as_bytes()) => quoted(key.as_bytes()),
            _ => key.clone(),
        };
        match self.form {
            _ if written.len() <= self.max_len => written,
            Form::Bare => derive(&key),
            Form::Quoted => quoted(derive(&key).as_bytes()),
        }
    }

    /// The smallest `max_len` that holds a UUID.
    pub(super) fn min_len(&self) -> usize {
        match self.form {
            Form::Bare => UUID_LEN,
            Form::Quoted => UUID_LEN + 2,
        }
    }
}

fn derive(key: &HeaderValue) -> HeaderValue {
    IdempotencyKey::from_business_key(key.as_bytes()).into_header()
}

/// Whether it is a structured field's string already.
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
const UUID_LEN: usize = 36;
const DAY: Duration = Duration::from_secs(24 * 3600);
