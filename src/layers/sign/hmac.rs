use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;

use super::encoding::{base64, hex, sha256};
use super::error::SignError;
use super::input::{Signed, SigningInput};
use super::signer::Sign;
use crate::rt::Rng;
use crate::settings::{ConfigError, ValidationError};

/// Signs by HMAC-SHA256 (RFC 2104) over parts of the request, as a list says.
///
/// ```
/// use http::HeaderName;
/// use outrigger::sign::{HmacSigner, Part, SignLayer};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let header = HeaderName::from_static;
/// let signer = HmacSigner::new(
///     "s3cr3t", // from where you keep secrets
///     header("x-acme-signature"),
///     [Part::Seconds(header("x-acme-time")), Part::Method, Part::Path, Part::Query, Part::Digest],
/// )?
/// .key_id(header("x-acme-key"), "key-7");
/// let layer = SignLayer::new(signer);
/// # let _ = layer;
/// # Ok(()) }
/// ```
///
/// `Debug` shows nothing of the secret.
#[derive(Clone)]
#[must_use]
pub struct HmacSigner {
    key: hmac::Key,
    header: HeaderName,
    parts: Vec<Part>,
    separator: Cow<'static, str>,
    prefix: Cow<'static, str>,
    is_base64: bool,
    key_id: Option<(HeaderName, Cow<'static, str>)>,
    rng: Rng,
}

/// A part of the text that an [`HmacSigner`] signs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The method: `POST`.
    Method,
    /// The path as it is sent, without the query: `/v1/orders`.
    Path,
    /// The query as it is sent, without the question mark; empty if there is none.
    Query,
    /// A header's value; several are joined by a comma and a space. A request without it is refused.
    Header(HeaderName),
    /// The SHA-256 of the body, written as the signature is.
    Digest,
    /// The body's bytes.
    Body,
    /// The time in seconds since 1970, which is sent in this header, too.
    Seconds(HeaderName),
    /// The time in milliseconds since 1970, which is sent in this header, too.
    Millis(HeaderName),
    /// 32 random hexadecimal digits, which are sent in this header, too.
    Nonce(HeaderName),
    /// This text: a version, a name, the key's id.
    Text(Cow<'static, str>),
}

impl HmacSigner {
    /// Signs these parts, joined by line feeds, and sends the signature in this header, in hexadecimal
    /// digits.
    ///
    /// # Errors
    ///
    /// If the secret is empty, or there are no parts.
    pub fn new(
        secret: impl AsRef<[u8]>,
        header: HeaderName,
        parts: impl IntoIterator<Item = Part>,
    ) -> Result<Self, ConfigError> {
        let (secret, parts) = (secret.as_ref(), Vec::from_iter(parts));
        let mut errors = Vec::new();
        if secret.is_empty() {
            errors.push(ValidationError::new("secret", super::EMPTY_SECRET));
        }
        if parts.is_empty() {
            errors.push(ValidationError::new("parts", "there are none: give at least one"));
        }
        ConfigError::check(None, errors)?;
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            header,
            parts,
            separator: "\n".into(),
            prefix: "".into(),
            is_base64: false,
            key_id: None,
            rng: Rng::system(),
        })
    }

    /// What stands between two parts; a line feed by default. Without any, one request's parts may be
    /// another's: use that only if the provider does.
    pub fn separator(mut self, separator: impl Into<Cow<'static, str>>) -> Self {
        self.separator = separator.into();
        self
    }

    /// What stands before the signature in its header: `sha256=`. Nothing by default.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Writes signature and digest in base64 (RFC 4648, 4) instead of hexadecimal digits.
    pub fn base64(mut self) -> Self {
        self.is_base64 = true;
        self
    }

    /// Sends the name of the key in this header.
    pub fn key_id(mut self, header: HeaderName, id: impl Into<Cow<'static, str>>) -> Self {
        self.key_id = Some((header, id.into()));
        self
    }

    /// Where nonces come from; the system's generator by default.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    fn written(&self, bytes: &[u8]) -> String {
        match self.is_base64 {
            true => base64(bytes),
            false => hex(bytes),
        }
    }

    /// The part's bytes. What the provider can't know otherwise goes into `headers`, too.
    fn bytes_of(
        &self,
        part: &Part,
        input: &SigningInput,
        headers: &mut HeaderMap,
    ) -> Result<Bytes, SignError> {
        let since = || input.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (header, text) = match part {
            Part::Body => return input.body.whole().cloned(),
            Part::Header(name) => return value_of(&input.headers, name),
            Part::Method => (None, input.method.to_string()),
            Part::Path => (None, input.uri.path().to_owned()),
            Part::Query => (None, input.uri.query().unwrap_or_default().to_owned()),
            Part::Digest => (None, self.written(sha256(input.body.whole()?).as_ref())),
            Part::Text(text) => (None, text.to_string()),
            Part::Seconds(name) => (Some(name), since().as_secs().to_string()),
            Part::Millis(name) => (Some(name), since().as_millis().to_string()),
            Part::Nonce(name) => (Some(name), hex(&self.rng.id_bytes())),
        };
        if let Some(name) = header {
            headers.insert(name.clone(), header_value(name, &text)?);
        }
        Ok(text.into())
    }
}

impl Sign for HmacSigner {
    async fn sign(&self, input: &SigningInput) -> Result<Signed, SignError> {
        let (mut headers, mut context) = (HeaderMap::new(), hmac::Context::with_key(&self.key));
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                context.update(self.separator.as_bytes());
            }
            context.update(&self.bytes_of(part, input, &mut headers)?);
        }
        let signature = self.written(context.sign().as_ref());
        let signature = format!("{}{signature}", self.prefix);
        headers.insert(self.header.clone(), header_value(&self.header, &signature)?);
        let Some((header, id)) = &self.key_id else { return Ok(Signed::new(headers)) };
        headers.insert(header.clone(), header_value(header, id)?);
        Ok(Signed::new(headers).key_id(&**id))
    }
}

impl fmt::Debug for HmacSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacSigner")
            .field("header", &self.header)
            .field("parts", &self.parts)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn value_of(headers: &HeaderMap, name: &HeaderName) -> Result<Bytes, SignError> {
    let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    match values.is_empty() {
        true => Err(SignError::new(format!("it has no header {name}, which is to be signed"))),
        false => Ok(values.join(&b", "[..]).into()),
    }
}

fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, SignError> {
    let unfit = |_| SignError::new(format!("{name} has characters that no header may have"));
    HeaderValue::from_str(text).map_err(unfit)
}
