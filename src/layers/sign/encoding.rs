//! How bytes are written into headers.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn of_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(super) fn sha256(bytes: &[u8]) -> ring::digest::Digest {
    digest(&SHA256, bytes)
}

/// A `content-digest` of these 32 bytes (RFC 9530, 2).
pub(super) fn content_digest(sha256: &ring::digest::Digest) -> String {
    format!("sha-256=:{}:", base64(sha256.as_ref()))
}
