use std::fmt;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, UnparsedPublicKey,
};
use ring::{error::Unspecified, hmac};

use crate::layers::sign::EMPTY_SECRET;
use crate::layers::sign::encoding::of_base64;
use crate::settings::{ConfigError, ValidationError};

/// How a signature is made (RFC 9421, 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256: both sides have one secret (RFC 9421, 3.3.3).
    HmacSha256,
    /// ECDSA with curve P-256 and SHA-256 (RFC 9421, 3.3.4).
    EcdsaP256Sha256,
    /// Ed25519 (RFC 9421, 3.3.6).
    Ed25519,
}

/// A key that signs. `Debug` shows its algorithm alone.
#[derive(Clone)]
pub struct SigningKey(Arc<Pair>);

enum Pair {
    Hmac(hmac::Key),
    Ed25519(Ed25519KeyPair),
    EcdsaP256(EcdsaKeyPair, SystemRandom),
}

/// A key that verifies. `Debug` shows its algorithm alone.
#[derive(Clone)]
pub struct VerifyingKey(Public);

#[derive(Clone)]
enum Public {
    Hmac(hmac::Key),
    Ed25519(Vec<u8>),
    EcdsaP256(Vec<u8>),
}

impl Algorithm {
    /// Its name in the registry of RFC 9421, 6.2.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl SigningKey {
    /// A secret for HMAC-SHA256, as bytes: decode it first, if the provider gives it in base64.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub fn hmac_sha256(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        hmac_key(secret.as_ref()).map(|key| Self(Arc::new(Pair::Hmac(key))))
    }

    /// A private key of Ed25519 or P-256 in PKCS#8 (RFC 5958): PEM (`BEGIN PRIVATE KEY`), or DER.
    ///
    /// # Errors
    ///
    /// If it is no such key. `openssl pkcs8 -topk8 -nocrypt` makes one of `BEGIN EC PRIVATE KEY`.
    pub fn pkcs8(key: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let der = der_of(key.as_ref(), "PRIVATE KEY").ok_or_else(|| unfit(NO_PKCS8))?;
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Ok(Self(Arc::new(Pair::Ed25519(pair))));
        }
        let random = SystemRandom::new();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
            .map(|pair| Self(Arc::new(Pair::EcdsaP256(pair, random))))
            .map_err(|_| unfit(NO_PKCS8))
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &*self.0 {
            Pair::Hmac(_) => Algorithm::HmacSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519,
            Pair::EcdsaP256(..) => Algorithm::EcdsaP256Sha256,
        }
    }

    /// Signs these bytes; an error if the system has no random numbers.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(match &*self.0 {
            Pair::Hmac(key) => hmac::sign(key, bytes).as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(bytes).as_ref().to_vec(),
            Pair::EcdsaP256(pair, random) => pair.sign(random, bytes)?.as_ref().to_vec(),
        })
    }
}

impl VerifyingKey {
    /// A secret for HMAC-SHA256, as bytes.
    ///
    /// # Errors
    ///
    /// If it is empty.
    pub fn hmac_sha256(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        hmac_key(secret.as_ref()).map(|key| Self(Public::Hmac(key)))
    }

    /// A public key of Ed25519 or P-256 as a `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7): PEM
    /// (`BEGIN PUBLIC KEY`), or DER.
    ///
    /// # Errors
    ///
    /// If it is no such key.
    pub fn spki(key: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let der = der_of(key.as_ref(), "PUBLIC KEY").unwrap_or_default();
        let key = |start: &[u8], length| {
            der.strip_prefix(start).filter(|key| key.len() == length).map(<[u8]>::to_vec)
        };
        let ed25519 = key(&ED25519_SPKI, 32).map(Public::Ed25519);
        let public = ed25519.or_else(|| key(&P256_SPKI, 65).map(Public::EcdsaP256));
        public.map(Self).ok_or_else(|| {
            unfit("it is no public key of Ed25519 or P-256: give PEM (BEGIN PUBLIC KEY) or its DER")
        })
    }

    /// How signatures for it are made.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Public::Hmac(_) => Algorithm::HmacSha256,
            Public::Ed25519(_) => Algorithm::Ed25519,
            Public::EcdsaP256(_) => Algorithm::EcdsaP256Sha256,
        }
    }

    /// Whether the signature is one of these bytes. How long it takes doesn't depend on where an HMAC
    /// differs.
    pub(super) fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Public::Hmac(key) => hmac::verify(key, bytes, signature).is_ok(),
            Public::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature).is_ok()
            }
            Public::EcdsaP256(key) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
                .verify(bytes, signature)
                .is_ok(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm().name())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm().name())
    }
}

fn hmac_key(secret: &[u8]) -> Result<hmac::Key, ConfigError> {
    match secret.is_empty() {
        true => Err(ConfigError::of(None, ValidationError::new("secret", EMPTY_SECRET))),
        false => Ok(hmac::Key::new(hmac::HMAC_SHA256, secret)),
    }
}

/// The DER of a key that is PEM with this label (RFC 7468), or DER already.
fn der_of(key: &[u8], label: &str) -> Option<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(key) else { return Some(key.to_vec()) };
    let Some((_, rest)) = text.split_once(&format!("-----BEGIN {label}-----")) else {
        return (!text.contains("-----BEGIN")).then(|| key.to_vec());
    };
    let (base64, _) = rest.split_once("-----END")?;
    of_base64(&base64.split_ascii_whitespace().collect::<String>())
}

fn unfit(problem: &str) -> ConfigError {
    ConfigError::of(None, ValidationError::new("key", problem))
}

/// What stands before the 32 bytes of an Ed25519 key (RFC 8410, 4).
const ED25519_SPKI: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 65 bytes of a P-256 key (RFC 5480, 2).
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const NO_PKCS8: &str =
    "it is no private key of Ed25519 or P-256 in PKCS#8: give PEM (BEGIN PRIVATE KEY) or its DER";
