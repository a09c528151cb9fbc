use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::context::IdempotencyKey;
use crate::replay::KEY_HEADER;

/// How one provider wants its keys, and whether it is known to honour them.
#[derive(Clone, Debug)]
pub struct KeyProfile {
    pub(crate) header: Option<HeaderName>,
    pub(crate) form: Form,
    pub(crate) longest: usize,
    pub(crate) lifetime: Duration,
    pub(crate) honoured: Honoured,
}

/// Which keys the provider is known to honour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Honoured {
    /// Those that callers bring: who brings one has read that the provider wants it.
    CallersOnly,
    /// All, those that are made here too.
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
    /// A header's name says nothing of who reads it: [`honours_keys`](Self::honours_keys) does.
    #[must_use]
    pub fn header(header: HeaderName) -> Self {
        let (form, honoured) = (Form::Bare, Honoured::CallersOnly);
        Self { header: Some(header), form, longest: 255, lifetime: DAY, honoured }
    }

    /// `Idempotency-Key` as a quoted string, by the IETF draft.
    ///
    /// The draft is how a key is written. On which requests one is honoured, and for how long, it
    /// leaves to each provider to publish: [`honours_keys`](Self::honours_keys) and
    /// [`lifetime`](Self::lifetime) say it here.
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
        Self::header(KEY_HEADER).longest(64).lifetime(7 * DAY).honours_keys()
    }

    /// PayPal, which honours keys on the POSTs of its REST interface that are documented with the header.
    /// Where you call others too, leave it to callers to bring keys:
    /// [`Minting::CallersOnly`](super::Minting::CallersOnly).
    #[must_use]
    pub fn paypal() -> Self {
        let header = HeaderName::from_static("paypal-request-id");
        Self::header(header).longest(38).lifetime(DAY / 4).honours_keys()
    }

    /// Square, which honours keys on all requests that have the field: the key is in the body, where a
    /// [hook](super::IdempotencyLayer::place_with) writes it. Without a hook there is no key.
    #[must_use]
    pub fn square() -> Self {
        Self { header: None, ..Self::header(KEY_HEADER) }.longest(45).honours_keys()
    }

    /// The provider does nothing twice under one key, for its [`lifetime`](Self::lifetime): so a key
    /// that was made here makes it safe to send a POST again. Look it up in the provider's
    /// documentation before you say so; most providers ignore keys, and do the work again.
    ///
    /// A key that a caller brings counts without it.
    #[must_use]
    pub fn honours_keys(mut self) -> Self {
        self.honoured = Honoured::All;
        self
    }

    /// The longest key that the provider takes, in characters: at least 36, which a UUID needs,
    /// and 38 in quotes.
    #[must_use]
    pub fn longest(mut self, characters: usize) -> Self {
        self.longest = characters;
        self
    }

    /// How long the provider remembers a key. Repeating a call after that is not safe, and
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
