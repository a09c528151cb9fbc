use std::fmt;

use ring::hmac;

use crate::settings::{ConfigError, ValidationError};

/// A secret that a provider signs with. `Debug` shows nothing of it.
///
/// For a scheme of your own, it says whether a signature was made with it:
///
/// ```
/// use outrigger::inbox::Secret;
///
/// let secret = Secret::from("It's a Secret to Everybody");
/// assert_eq!(format!("{secret:?}"), "Secret([hidden])");
/// assert!(!secret.signed(&[b"Hello, ", b"World!"], &[0; 32]));
/// ```
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Whether `signature` is the HMAC-SHA256 (RFC 2104) of these parts, one after the other, with this
    /// secret. How long it takes doesn't depend on where they differ.
    #[must_use]
    pub fn signed(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        self.signed_any(parts, &[signature])
    }

    /// The same for several signatures, of which one must be right. The parts are read once.
    pub(super) fn signed_any(&self, parts: &[&[u8]], signatures: &[impl AsRef<[u8]>]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        parts.iter().for_each(|part| context.update(part));
        let right = context.sign();
        // ring compares tags of its own in constant time: so both sides are signed once more, which makes
        // equal ones of equal signatures only.
        signatures.iter().any(|given| {
            hmac::verify(&key, right.as_ref(), hmac::sign(&key, given.as_ref()).as_ref()).is_ok()
        })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Secret {
    fn from(secret: Vec<u8>) -> Self {
        Self(secret)
    }
}

impl From<&[u8]> for Secret {
    fn from(secret: &[u8]) -> Self {
        Self(secret.to_vec())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret.into_bytes())
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.as_bytes().to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([hidden])")
    }
}

/// Makes a scheme's keys of its secrets; names each that can't be one.
pub(super) fn keys<S: Into<Secret>, K>(
    secrets: impl IntoIterator<Item = S>,
    key: impl Fn(Secret) -> Result<K, &'static str>,
) -> Result<Vec<K>, ConfigError> {
    let (mut keys, mut errors) = (Vec::new(), Vec::new());
    for (at, secret) in secrets.into_iter().enumerate() {
        match key(secret.into()) {
            Ok(key) => keys.push(key),
            Err(problem) => errors.push(ValidationError::new(format!("secrets[{at}]"), problem)),
        }
    }
    if keys.is_empty() && errors.is_empty() {
        errors.push(ValidationError::new("secrets", "there is none: give at least one"));
    }
    ConfigError::check(None, errors).map(|()| keys)
}

/// A secret that is used as it is written.
pub(super) fn as_it_is(secret: Secret) -> Result<Secret, &'static str> {
    match secret.0.trim_ascii() {
        [] => Err("it is empty: is the variable that it comes from set?"),
        trimmed if trimmed.len() < secret.0.len() => {
            Err("it begins or ends with white space: remove that, as of a file's last line")
        }
        _ => Ok(secret),
    }
}
