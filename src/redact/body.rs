//! Redacts bodies by their media type.

use http::{HeaderMap, header};

use super::asked::Asked;
use super::hidden::CUT;
use super::media::{self, Media};
use super::{form, json};
use crate::redact::Kept;

/// What is shown of a body; `None` if there is none.
pub(super) fn redact(headers: &HeaderMap, body: &Kept, asked: &Asked) -> Option<String> {
    if body.total == 0 && body.bytes.is_empty() {
        return None;
    }
    let (media, name) = Media::of(headers);
    let shown = if is_encoded(headers) { None } else { structure(media, body, asked) };
    Some(shown.unwrap_or_else(|| size(name, body)))
}

/// What is shown of a body with a known structure; `None` for any other body.
fn structure(media: Media, body: &Kept, asked: &Asked) -> Option<String> {
    let bytes = body.bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body.bytes);
    // Only values can contain bytes that are no text, and values are not shown.
    let text = String::from_utf8_lossy(bytes);
    let is_space = |char: char| char.is_ascii_whitespace() || char == '\u{1e}';
    match media {
        Media::Json => json::redact(&text, asked),
        Media::Text if text.trim_start_matches(is_space).starts_with(['{', '[']) => {
            json::redact(&text, asked)
        }
        Media::Form => Some(form(&text, body, asked)),
        Media::Text | Media::Other => None,
    }
}

fn form(text: &str, body: &Kept, asked: &Asked) -> String {
    let is_asked = |key: &str| asked.is_field(key);
    if body.is_whole && body.total <= body.bytes.len() as u64 {
        return form::redact(text, is_asked);
    }
    // Half of what is secret passes every check.
    let whole = &text[..text.rfind('&').unwrap_or(0)];
    form::redact(whole, is_asked) + CUT
}

/// `[application/xml, 312 bytes]`
fn size(name: &str, body: &Kept) -> String {
    match media::is_name(name) {
        true => format!("[{name}, {} bytes]", body.total),
        false => format!("[{} bytes]", body.total),
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let is_plain = |value: &[u8]| value.is_empty() || value.eq_ignore_ascii_case(b"identity");
    headers.get_all(header::CONTENT_ENCODING).iter().any(|value| !is_plain(value.as_bytes()))
}

/// UTF-8's.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
