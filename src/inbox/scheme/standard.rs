use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use ring::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, UnparsedPublicKey};
use serde_json::Value;

use super::Scheme;
use crate::inbox::error::InboxError;
use crate::inbox::facts::{Facts, Verified, known};
use crate::inbox::secret::{Secret, as_it_is, keys};
use crate::inbox::verify::{
    MOST_SIGNATURES, Mac, TOLERANCE, age, base64, base64_of, date, header, seconds,
};
use crate::outbox::Timestamp;
use crate::settings::ConfigError;
use crate::terms::inbox::InboxErrorKind;

/// Standard Webhooks, with headers `webhook-*` or `svix-*`: several signatures over id, time and body.
#[derive(Clone, Debug)]
pub struct StandardWebhooks {
    keys: Vec<Key>,
    tolerance: Duration,
}

/// What one signature is checked with.
#[derive(Clone, Debug)]
enum Key {
    /// `v1`: HMAC-SHA256.
    Shared(Secret),
    /// `v1a`: Ed25519.
    Public([u8; ED25519_PUBLIC_KEY_LEN]),
}

/// What a request's headers say.
struct Stated<'a> {
    id: &'a str,
    /// The time as it is written.
    sent: &'a str,
    time: Timestamp,
    signatures: Signatures,
}

/// The signatures of one request, by their version.
#[derive(Default)]
struct Signatures {
    v1: Vec<Mac>,
    v1a: Vec<[u8; ED25519_LEN]>,
}

impl StandardWebhooks {
    /// The endpoint's secret (`whsec_` and base64) or the sender's public key (`whpk_` and base64); several
    /// while it is replaced.
    ///
    /// # Errors
    ///
    /// There is none, or one has no prefix, isn't base64, has less than 16 bytes, or is a private key.
    pub fn new<S: Into<Secret>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Ok(Self { keys: keys(secrets, key)?, tolerance: TOLERANCE })
    }
}

tolerance!(StandardWebhooks, "the reference libraries");

impl Scheme for StandardWebhooks {
    fn verify(&self, head: &Parts, body: &Bytes, now: Timestamp) -> Result<Verified, InboxError> {
        let Stated { id, sent, time, signatures } = Stated::of(head)?;
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", sent.as_bytes(), b".", body];
        if !self.keys.iter().any(|key| key.signed(&parts, &signatures)) {
            return Err(InboxError::new(InboxErrorKind::Signature));
        }
        age(time, now, self.tolerance)?;
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let facts = known!(
            Facts::signed_id(id).keep(&head.headers, &["content-type"]),
            kind: text("type"),
            time: text("timestamp").and_then(date),
        );
        Ok(facts.into())
    }

    fn precheck(&self, head: &Parts, now: Timestamp) -> Result<(), InboxError> {
        age(Stated::of(head)?.time, now, self.tolerance)
    }
}

impl<'a> Stated<'a> {
    fn of(head: &'a Parts) -> Result<Self, InboxError> {
        let names = match head.headers.contains_key(STANDARD[0]) {
            false if head.headers.contains_key(SVIX[0]) => SVIX,
            _ => STANDARD,
        };
        let [id, sent, signature] = names.map(|name| header(&head.headers, name));
        let (id, sent, signature) = (id?, sent?, signature?);
        let time = seconds(sent).ok_or_else(|| InboxError::malformed(names[1]))?;
        if id.is_empty() {
            return Err(InboxError::malformed(names[0]));
        }
        let signatures =
            Signatures::parsed(signature).ok_or_else(|| InboxError::malformed(names[2]))?;
        Ok(Self { id, sent, time, signatures })
    }
}

impl Key {
    fn signed(&self, parts: &[&[u8]], signatures: &Signatures) -> bool {
        match self {
            Self::Shared(secret) => {
                !signatures.v1.is_empty() && secret.signed_any(parts, &signatures.v1)
            }
            Self::Public(_) if signatures.v1a.is_empty() => false,
            Self::Public(key) => {
                let (key, signed) = (UnparsedPublicKey::new(&ED25519, key), parts.concat());
                signatures.v1a.iter().any(|given| key.verify(&signed, given).is_ok())
            }
        }
    }
}

impl Signatures {
    /// Of `v1,… v1a,… v2,…`. Versions that aren't known, and what isn't base64, are left out.
    fn parsed(header: &str) -> Option<Self> {
        let mut signatures = Self::default();
        for (version, signature) in header.split(' ').filter_map(|part| part.split_once(',')) {
            match version {
                "v1" => signatures.v1.extend(base64_of(signature)),
                "v1a" => signatures.v1a.extend(base64_of(signature)),
                _ => {}
            }
        }
        let count = signatures.v1.len() + signatures.v1a.len();
        (1..=MOST_SIGNATURES).contains(&count).then_some(signatures)
    }
}

fn key(secret: Secret) -> Result<Key, &'static str> {
    let secret = as_it_is(secret)?;
    let text = std::str::from_utf8(secret.as_bytes()).map_err(|_| NOT_BASE64)?;
    if text.starts_with("whsk_") {
        return Err("it is a private key (whsk_): give the public one (whpk_)");
    }
    if let Some(public) = text.strip_prefix("whpk_") {
        let key = base64_of(public);
        return key.map(Key::Public).ok_or("whpk_ must be followed by the base64 of 32 bytes");
    }
    // Without a prefix, a public key would be taken for a secret that everybody knows.
    let secret = text.strip_prefix("whsec_").and_then(base64).ok_or(NOT_BASE64)?;
    match secret.len() < SHORTEST_SECRET {
        true => Err("there are less than 16 bytes behind whsec_: copy all of it"),
        false => Ok(Key::Shared(secret.into())),
    }
}

const STANDARD: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];
/// Standard Webhooks asks senders for 24 bytes or more; fewer than these are a piece of a secret.
const SHORTEST_SECRET: usize = 16;
/// RFC 8032, 5.1.6.
const ED25519_LEN: usize = 64;
const NOT_BASE64: &str = "it is not whsec_ or whpk_ and base64: copy it as the provider shows it";
