use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use sfv::{BareItem, InnerList, Item, ListEntry};

use super::base::{base, check_digest, dictionary, parameters};
use super::component::Component;
use super::error::MessageError;
use super::key::VerifyingKey;
use super::signer::components_of;
use super::view::Message;
use crate::layers::sign::trailer::CONTENT_DIGEST;
use crate::settings::{ConfigError, ValidationError};

/// Checks the signatures of messages by RFC 9421. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct MessageVerifier {
    keys: HashMap<String, VerifyingKey>,
    required: Vec<Component>,
    tolerance: Duration,
    tag: Option<String>,
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    label: String,
    key_id: String,
    created: SystemTime,
    nonce: Option<String>,
    components: Vec<Component>,
}

impl MessageVerifier {
    /// Accepts signatures by one of these keys, each known by its id, that cover all of these components,
    /// and perhaps others. What isn't covered may be anybody's: require what you act upon.
    ///
    /// # Errors
    ///
    /// If there are no keys, two with one id, no components, or one twice.
    pub fn new<C>(
        keys: impl IntoIterator<Item = (impl Into<String>, VerifyingKey)>,
        required: impl IntoIterator<Item = C>,
    ) -> Result<Self, ConfigError>
    where
        C: TryInto<Component, Error: std::fmt::Display>,
    {
        let (mut known, mut errors) = (HashMap::new(), Vec::new());
        for (id, key) in keys {
            if known.insert(id.into(), key).is_some() {
                errors.push(ValidationError::new("keys", "two have one id: give each its own"));
            }
        }
        if known.is_empty() {
            errors.push(ValidationError::new("keys", "there are none: give at least one"));
        }
        let required = components_of(required, &mut errors);
        ConfigError::check(None, errors)?;
        Ok(Self { keys: known, required, tolerance: TOLERANCE, tag: None })
    }

    /// How much earlier or later than now a signature may be made; 5 minutes by default.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Accepts only signatures for this purpose (parameter `tag`); by default, for any.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Checks a message. Of several signatures, one must hold.
    ///
    /// If it covers `content-digest`, the body's bytes must be given, and are compared with it.
    ///
    /// # Errors
    ///
    /// If none holds: why the last that is by a known key doesn't.
    pub fn verify(
        &self,
        message: &Message<'_>,
        now: SystemTime,
    ) -> Result<Verification, MessageError> {
        self.any(message, |label, list, signature| self.check(label, list, signature, message, now))
    }

    /// What `check` says of the first signature that holds, or why the last that is by a known key doesn't.
    fn any<T>(
        &self,
        message: &Message<'_>,
        check: impl Fn(&str, &InnerList, &[u8]) -> Result<T, MessageError>,
    ) -> Result<T, MessageError> {
        let inputs = dictionary(message.headers, "signature-input")?;
        let signatures = dictionary(message.headers, "signature")?;
        let (inputs, signatures) = inputs.zip(signatures).ok_or(MessageError::Missing)?;
        if inputs.len() > MOST_SIGNATURES {
            return Err(MessageError::Malformed("signature-input"));
        }
        let mut found = MessageError::Missing;
        for (label, input) in &inputs {
            let ListEntry::InnerList(list) = input else {
                return Err(MessageError::Malformed("signature-input"));
            };
            let signature = match signatures.get(label) {
                Some(ListEntry::Item(Item {
                    bare_item: BareItem::ByteSequence(bytes), ..
                })) => bytes,
                Some(_) => return Err(MessageError::Malformed("signature")),
                None => continue,
            };
            match check(label.as_str(), list, signature) {
                Ok(checked) => return Ok(checked),
                Err(MessageError::UnknownKey) if found != MessageError::Missing => {}
                Err(error) => found = error,
            }
        }
        Err(found)
    }

    /// Checks what the head alone tells, before the body is read: everything but the signature itself and the
    /// body's digest.
    #[cfg(feature = "inbox")]
    pub(crate) fn precheck(
        &self,
        message: &Message<'_>,
        now: SystemTime,
    ) -> Result<(), MessageError> {
        self.any(message, |label, list, _| self.claims(label, list, now).map(drop))
    }

    /// Checks one signature.
    fn check(
        &self,
        label: &str,
        list: &InnerList,
        signature: &[u8],
        message: &Message<'_>,
        now: SystemTime,
    ) -> Result<Verification, MessageError> {
        let (key, claimed) = self.claims(label, list, now)?;
        let base = base(&claimed.components, &parameters(list), message)?;
        if !key.verify(base.as_bytes(), signature) {
            return Err(MessageError::Signature);
        }
        if claimed.components.iter().any(|it| it.field() == Some(&CONTENT_DIGEST)) {
            check_digest(message.headers, message.body.ok_or(MessageError::Digest)?)?;
        }
        Ok(claimed)
    }

    /// What a signature says of itself, if that is fit, and the key that proves it.
    fn claims(
        &self,
        label: &str,
        list: &InnerList,
        now: SystemTime,
    ) -> Result<(&VerifyingKey, Verification), MessageError> {
        let text = |name: &str| Some(list.params.get(name)?.as_string()?.as_str());
        let key_id = text("keyid").ok_or(MessageError::UnknownKey)?;
        let key = self.keys.get(key_id).ok_or(MessageError::UnknownKey)?;
        if list.params.contains_key("alg") && text("alg") != Some(key.algorithm().name()) {
            return Err(MessageError::Algorithm);
        }
        if self.tag.is_some() && text("tag") != self.tag.as_deref() {
            return Err(MessageError::Tag);
        }
        let claimed = Verification {
            components: self.covered(list)?,
            created: self.created(list, now)?,
            label: label.to_owned(),
            key_id: key_id.to_owned(),
            nonce: text("nonce").map(ToOwned::to_owned),
        };
        Ok((key, claimed))
    }

    /// What the signature covers, if that is all that it must.
    fn covered(&self, list: &InnerList) -> Result<Vec<Component>, MessageError> {
        if list.items.len() > MOST_COMPONENTS {
            return Err(MessageError::Malformed("signature-input"));
        }
        let components: Vec<_> =
            list.items.iter().map(Component::read).collect::<Result<_, _>>()?;
        let names: HashSet<_> = components.iter().map(Component::identifier).collect();
        if names.len() < components.len() {
            return Err(MessageError::Malformed("signature-input"));
        }
        let is_missing = |required: &&Component| !names.contains(required.identifier());
        match self.required.iter().find(is_missing) {
            Some(missing) => Err(MessageError::NotCovered(missing.to_string())),
            None => Ok(components),
        }
    }

    /// When it was made, if that is neither too long ago nor in the future.
    fn created(&self, list: &InnerList, now: SystemTime) -> Result<SystemTime, MessageError> {
        let time = |name: &str| {
            let seconds = i64::from(list.params.get(name)?.as_integer()?);
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?))
        };
        let created = time("created").ok_or(MessageError::Expired)?;
        let has_ended = list.params.contains_key("expires")
            && time("expires").is_none_or(|expires| expires < now);
        let age = now.duration_since(created).unwrap_or_default();
        if has_ended || age > self.tolerance.saturating_add(ROUNDING) {
            return Err(MessageError::Expired);
        }
        match created.duration_since(now).unwrap_or_default() > self.tolerance {
            true => Err(MessageError::InFuture),
            false => Ok(created),
        }
    }
}

impl Verification {
    /// By which name it stands in the message.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The id of the key that signed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// When it was made, in whole seconds.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// Its random text, if it has one: to refuse a message that is sent twice, remember it for twice the
    /// [tolerance](MessageVerifier::tolerance).
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// Whether it covers the component of this name, in the message itself.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let name = Component::try_from(name);
        name.is_ok_and(|component| self.components.contains(&component))
    }

    /// What it covers, in its order.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }
}

/// As in the inbox's schemes.
const TOLERANCE: Duration = Duration::from_secs(300);
/// Times are whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);
/// Proxies add their own. The work for more is not for the sender to choose.
const MOST_SIGNATURES: usize = 8;
/// More than a request has of its own; a value may be as long as all headers.
const MOST_COMPONENTS: usize = 64;
