//! Headers as they are stored.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers as they are stored; for what is sealed a zero byte, with which no header begins, and the key's name.
pub(crate) fn head_to_bytes(headers: &HeaderMap, sealed_by: Option<&str>) -> Vec<u8> {
    sealed_by.map_or_else(|| headers_to_bytes(headers), |key| [&[0], key.as_bytes()].concat())
}

/// What [`head_to_bytes`] wrote.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn head_from_bytes(bytes: &[u8]) -> (HeaderMap, Option<String>) {
    match bytes.strip_prefix(&[0]) {
        Some(key) => (HeaderMap::new(), Some(String::from_utf8_lossy(key).into_owned())),
        None => (headers_from_bytes(bytes), None),
    }
}

/// Headers as they stand in HTTP/1: `name: value` and CR LF, one after the other.
pub(crate) fn headers_to_bytes(headers: &HeaderMap) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// The headers that [`headers_to_bytes`] wrote; a line that is none is left out.
pub(crate) fn headers_from_bytes(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or_default();
        let value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}
