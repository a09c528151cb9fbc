use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, DATE, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue};
use sfv::{BareItem, InnerList, Key, KeyRef, key_ref};

use super::base::{base, parameters};
use super::component::Component;
use super::key::SigningKey;
use super::view::Message;
use crate::layers::sign::encoding::{base64, content_digest, hex, sha256};
use crate::layers::sign::trailer::CONTENT_DIGEST;
use crate::layers::sign::{Sign, SignError, Signed, SigningBody, SigningInput};
use crate::rt::{Rng, clamp_to_year_9999};
use crate::settings::{ConfigError, ValidationError};

/// Signs requests by RFC 9421. See the [module](super).
#[derive(Clone)]
#[must_use]
pub struct MessageSigner {
    key_id: sfv::String,
    key: SigningKey,
    components: Vec<Component>,
    label: Key,
    lifetime: Option<Duration>,
    has_nonce: bool,
    names_algorithm: bool,
    tag: Option<sfv::String>,
    streams: StreamedBody,
    rng: Rng,
}

/// What is done with a streamed body, whose digest is known only when it was sent, where
/// `content-digest` is to be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamedBody {
    /// The request is refused.
    #[default]
    Refused,
    /// The signature doesn't cover it: the provider must accept that.
    Unsigned,
    /// The signature doesn't cover it, and its digest follows it as a trailer, against broken bodies. Nor does
    /// it cover `content-length` and `trailer`, which that changes.
    DigestTrailer,
}

impl MessageSigner {
    /// Signs these components with a key that the provider knows by this id.
    ///
    /// `content-digest`, `content-length` and `date` are made if the request has none. Without
    /// `content-digest`, no part of the body is signed. With `@authority` or `@target-uri`, a request whose own
    /// header `host` isn't the host of its URI is refused: which of both is sent depends on the HTTP version.
    ///
    /// # Errors
    ///
    /// If the id isn't printable ASCII, or if there are no components, one of an answer, or one twice.
    pub fn new<C>(
        key_id: &str,
        key: SigningKey,
        components: impl IntoIterator<Item = C>,
    ) -> Result<Self, ConfigError>
    where
        C: TryInto<Component, Error: fmt::Display>,
    {
        let mut errors = Vec::new();
        let components = components_of(components, &mut errors);
        for component in components.iter().filter(|component| !component.is_of_requests()) {
            errors.push(wrong(format_args!("{component} is no component of a request")));
        }
        let key_id = plain_text("key_id", key_id).map_err(|error| errors.push(error));
        ConfigError::check(None, errors)?;
        Ok(Self {
            key_id: key_id.expect("a wrong one was told"),
            key,
            components,
            label: key_ref("sig1").to_owned(),
            lifetime: None,
            has_nonce: false,
            names_algorithm: false,
            tag: None,
            streams: StreamedBody::default(),
            rng: Rng::system(),
        })
    }

    /// By which name the signature stands in its fields; `sig1` by default.
    ///
    /// # Errors
    ///
    /// If it isn't lower-case letters, digits, `_`, `-`, `.` and `*`, with a letter or `*` first.
    pub fn label(mut self, label: &str) -> Result<Self, ConfigError> {
        let problem = "it must be of lower-case letters, digits, `_`, `-`, `.` and `*`";
        let wrong = |_| ConfigError::of(None, ValidationError::new("label", problem));
        self.label = KeyRef::from_str(label).map_err(wrong)?.to_owned();
        Ok(self)
    }

    /// What the signature is for (parameter `tag`), as the provider's documentation names it.
    ///
    /// # Errors
    ///
    /// If it isn't printable ASCII.
    pub fn tag(mut self, tag: &str) -> Result<Self, ConfigError> {
        self.tag = Some(plain_text("tag", tag).map_err(|error| ConfigError::of(None, error))?);
        Ok(self)
    }

    /// How long the signature holds (parameter `expires`); by default the provider decides.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// With 32 random hexadecimal digits, another each time (parameter `nonce`).
    pub fn nonce(mut self) -> Self {
        self.has_nonce = true;
        self
    }

    /// Names the algorithm (parameter `alg`); by default, the provider knows it by the key.
    pub fn name_algorithm(mut self) -> Self {
        self.names_algorithm = true;
        self
    }

    /// What is done with streamed bodies; they are refused by default.
    pub fn streamed_body(mut self, streams: StreamedBody) -> Self {
        self.streams = streams;
        self
    }

    /// Where nonces come from; the system's generator by default.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// The components that cover this request, and the headers that are made for them.
    fn prepare(
        &self,
        input: &SigningInput,
    ) -> Result<(Cow<'_, [Component]>, HeaderMap), SignError> {
        let mut made = HeaderMap::new();
        let mut components = Cow::Borrowed(&self.components[..]);
        if self.has_digest_trailer(input) {
            let stays = |name: &HeaderName| !CHANGED_BY_TRAILER.contains(name);
            components.to_mut().retain(|it| it.field().is_none_or(stays));
        }
        for name in self.components.iter().filter_map(Component::field) {
            let is_digest = *name == CONTENT_DIGEST;
            if input.headers.contains_key(name) || !(is_digest || MADE.contains(name)) {
                continue;
            }
            let value = match &input.body {
                _ if *name == DATE => httpdate::fmt_http_date(clamp_to_year_9999(input.now)),
                SigningBody::Whole(body) if is_digest => content_digest(&sha256(body)),
                SigningBody::Whole(body) => body.len().to_string(),
                SigningBody::Stream if self.streams == StreamedBody::Refused => {
                    return Err(SignError::streamed());
                }
                SigningBody::Stream => {
                    components.to_mut().retain(|component| component.field() != Some(name));
                    continue;
                }
            };
            made.insert(name.clone(), HeaderValue::try_from(value).map_err(unwritable)?);
        }
        Ok((components, made))
    }

    /// Whether the digest, which is to be signed, can only follow the body.
    fn has_digest_trailer(&self, input: &SigningInput) -> bool {
        self.streams == StreamedBody::DigestTrailer
            && input.body == SigningBody::Stream
            && !input.headers.contains_key(CONTENT_DIGEST)
            && self.components.iter().any(|it| it.field() == Some(&CONTENT_DIGEST))
    }

    /// The list of components with its parameters.
    fn list(&self, components: &[Component], input: &SigningInput) -> InnerList {
        let mut list =
            InnerList::new(components.iter().map(|component| component.item.clone()).collect());
        let mut set = |key: &KeyRef, value: BareItem| list.params.insert(key.to_owned(), value);
        let created = input.unix_seconds();
        set(key_ref("created"), seconds(created));
        if let Some(lifetime) = self.lifetime {
            set(key_ref("expires"), seconds(created.saturating_add(lifetime.as_secs())));
        }
        if self.has_nonce {
            let nonce = sfv::String::from_string(hex(&self.rng.id_bytes()));
            set(key_ref("nonce"), BareItem::String(nonce.expect("digits are ASCII")));
        }
        if self.names_algorithm {
            let name = sfv::String::from_string(self.key.algorithm().name().to_owned());
            set(key_ref("alg"), BareItem::String(name.expect("names are ASCII")));
        }
        set(key_ref("keyid"), BareItem::String(self.key_id.clone()));
        if let Some(tag) = &self.tag {
            set(key_ref("tag"), BareItem::String(tag.clone()));
        }
        list
    }
}

impl Sign for MessageSigner {
    async fn sign(&self, input: &SigningInput) -> Result<Signed, SignError> {
        let (components, mut made) = self.prepare(input)?;
        let mut headers = Cow::Borrowed(&input.headers);
        if !made.is_empty() {
            headers.to_mut().extend(made.clone());
        }
        let message = Message::asking(&input.method, &input.uri, &headers);
        if components.iter().any(Component::has_authority) && message.has_other_host() {
            return Err(SignError::new(OTHER_HOST));
        }
        let parameters = parameters(&self.list(&components, input));
        let base = base(&components, &parameters, &message);
        let base = base.map_err(|error| SignError::new(error.to_string()))?;
        let signature = self.key.sign(base.as_bytes());
        let signature = signature.map_err(|_| SignError::new("there are no random numbers"))?;
        let label = self.label.as_str();
        for (name, value) in [
            (SIGNATURE_INPUT, format!("{label}={parameters}")),
            (SIGNATURE, format!("{label}=:{}:", base64(&signature))),
        ] {
            made.insert(name, HeaderValue::try_from(value).map_err(unwritable)?);
        }
        let signed = Signed::new(made).key_id(self.key_id.as_str());
        let has_trailer = self.has_digest_trailer(input);
        Ok(if has_trailer { signed.with_digest_trailer() } else { signed })
    }
}

impl fmt::Debug for MessageSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components: Vec<_> = self.components.iter().map(Component::identifier).collect();
        f.debug_struct("MessageSigner")
            .field("key_id", &self.key_id.as_str())
            .field("key", &self.key)
            .field("components", &components)
            .finish_non_exhaustive()
    }
}

/// Reads components, and names each that is none or is there twice.
pub(super) fn components_of<C>(
    components: impl IntoIterator<Item = C>,
    errors: &mut Vec<ValidationError>,
) -> Vec<Component>
where
    C: TryInto<Component, Error: fmt::Display>,
{
    let mut read: Vec<Component> = Vec::new();
    for component in components {
        match component.try_into() {
            Ok(component) if read.contains(&component) => {
                errors.push(wrong(format_args!("{component} is there twice: remove one")));
            }
            Ok(component) => read.push(component),
            Err(error) => errors.push(wrong(error)),
        }
    }
    if read.is_empty() && errors.is_empty() {
        errors.push(wrong("there are none: a signature of nothing proves nothing"));
    }
    read
}

fn plain_text(field: &str, text: &str) -> Result<sfv::String, ValidationError> {
    sfv::String::from_string(text.to_owned())
        .map_err(|_| ValidationError::new(field, "it must be printable ASCII"))
}

fn wrong(problem: impl fmt::Display) -> ValidationError {
    ValidationError::new("components", problem.to_string())
}

fn unwritable(_: http::header::InvalidHeaderValue) -> SignError {
    SignError::new("the signature has characters that no header may have")
}

/// Larger numbers are none of structured fields; they are past the year 30 million.
fn seconds(seconds: u64) -> BareItem {
    let number = i64::try_from(seconds).ok().and_then(|number| sfv::Integer::try_from(number).ok());
    BareItem::Integer(number.unwrap_or(sfv::Integer::MAX))
}

/// A digest that follows the body changes these (RFC 9112, 6.5).
const CHANGED_BY_TRAILER: [HeaderName; 2] = [CONTENT_LENGTH, TRAILER];
const OTHER_HOST: &str =
    "its header `host` is not the host of its uri, which is signed: remove the header";
/// What can be made of the body and the time.
const MADE: [HeaderName; 2] = [CONTENT_LENGTH, DATE];
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
