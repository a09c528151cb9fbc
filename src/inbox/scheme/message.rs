use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderName;
use http::request::Parts;

use super::Scheme;
use crate::inbox::error::InboxError;
use crate::inbox::facts::{Facts, Verified};
use crate::outbox::Timestamp;
use crate::sign::message::{Message, MessageError, MessageVerifier};
use crate::terms::inbox::InboxErrorKind;

/// HTTP Message Signatures (RFC 9421): what a [`MessageVerifier`] accepts, if it covers the body.
///
/// `content-digest` must be signed, whatever the verifier requires. An event is known by
/// [an id](Self::id_header) that is signed, or by its body.
///
/// ```
/// use outrigger::inbox::MessageSignatures;
/// use outrigger::sign::message::{MessageVerifier, VerifyingKey};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// # let key = VerifyingKey::hmac_sha256("s3cr3t")?;
/// let verifier = MessageVerifier::new([("key-7", key)], ["@method", "@path", "content-digest"])?;
/// let scheme = MessageSignatures::new(verifier).id_header(http::HeaderName::from_static("x-event-id"));
/// # let _ = scheme;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MessageSignatures {
    verifier: MessageVerifier,
    id: Option<HeaderName>,
    scheme: &'static str,
}

impl MessageSignatures {
    /// Accepts what this verifier accepts.
    #[must_use]
    pub fn new(verifier: MessageVerifier) -> Self {
        Self { verifier, id: None, scheme: "https" }
    }

    /// The sender calls `http`; `https` is what `@scheme` and `@target-uri` have by default, also where a proxy
    /// ends TLS.
    ///
    /// The path and the host are those that arrive here. Behind a proxy that changes them, require neither
    /// `@target-uri` nor `@path` and `@authority` of the sender, or give the inbox the request as it was sent.
    #[must_use]
    pub fn sent_by_http(mut self) -> Self {
        self.scheme = "http";
        self
    }

    /// The header that has the event's id. It must be signed, too, and be there once.
    #[must_use]
    pub fn id_header(mut self, name: HeaderName) -> Self {
        self.id = Some(name);
        self
    }
}

impl MessageSignatures {
    fn message<'a>(&self, head: &'a Parts) -> Message<'a> {
        Message::request(head).scheme_of_server(self.scheme)
    }
}

impl Scheme for MessageSignatures {
    fn verify(&self, head: &Parts, body: &Bytes, now: Timestamp) -> Result<Verified, InboxError> {
        let message = self.message(head).body(body);
        let verification = self.verifier.verify(&message, wall(now));
        let verification = verification.map_err(|error| InboxError::from(&error))?;
        let is_signed = |name: &str| verification.covers(name);
        let unsigned = || InboxError::new(InboxErrorKind::Signature);
        if !is_signed("content-digest") {
            return Err(unsigned().header("signature-input"));
        }
        let facts = match &self.id {
            Some(name) if !is_signed(name.as_str()) => {
                return Err(unsigned().header("signature-input"));
            }
            Some(name) => Facts::signed_id(id_of(head, name)?),
            None => Facts::of_body(),
        };
        Ok(facts.keep(&head.headers, &["content-type"]).into())
    }

    fn precheck(&self, head: &Parts, now: Timestamp) -> Result<(), InboxError> {
        if let Some(name) = &self.id {
            id_of(head, name)?;
        }
        let checked = self.verifier.precheck(&self.message(head), wall(now));
        checked.map_err(|error| InboxError::from(&error))
    }
}

/// The event's id. Of several it would depend on the reader which one counts.
fn id_of<'a>(head: &'a Parts, name: &HeaderName) -> Result<&'a str, InboxError> {
    let mut ids = head.headers.get_all(name).iter();
    let id = ids.next().and_then(|id| id.to_str().ok()).filter(|_| ids.next().is_none());
    id.ok_or_else(|| InboxError::new(InboxErrorKind::MalformedHeader))
}

fn wall(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(now.0.try_into().unwrap_or_default())
}

impl From<&MessageError> for InboxError {
    fn from(error: &MessageError) -> Self {
        match *error {
            MessageError::Missing => Self::new(InboxErrorKind::MissingHeader).header("signature"),
            MessageError::Malformed(field) => Self::malformed(field),
            MessageError::Expired => Self::new(InboxErrorKind::TooOld),
            MessageError::InFuture => Self::new(InboxErrorKind::InFuture),
            _ => Self::new(InboxErrorKind::Signature),
        }
    }
}
