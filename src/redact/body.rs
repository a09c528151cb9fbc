//! Bodies, by what they say they are.

use http::{HeaderMap, header};

use super::asked::Asked;
use super::{form, json, patterns};
use crate::event::Kept;

enum Media<'a> {
    Json(&'a str),
    Form(&'a str),
    /// Some send JSON as text, or don't say what it is.
    Text(&'a str),
    Other(&'a str),
}

/// What is shown of a body; `None` if there is none.
pub(super) fn redact(headers: &HeaderMap, body: &Kept, asked: &Asked) -> Option<String> {
    if body.total == 0 && body.bytes.is_empty() {
        return None;
    }
    let media = media(headers);
    let shown = if is_encoded(headers) { None } else { structure(&media, body, asked) };
    Some(shown.unwrap_or_else(|| size(&media, body)))
}

/// What is shown of what has a structure; `None` if it has another one, or none.
fn structure(media: &Media<'_>, body: &Kept, asked: &Asked) -> Option<String> {
    let bytes = body.bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body.bytes);
    // Only values can hold what is no text, and values are not shown.
    let text = String::from_utf8_lossy(bytes);
    let is_space = |char: char| char.is_ascii_whitespace() || char == '\u{1e}';
    match media {
        Media::Json(_) => json::redact(&text, asked),
        Media::Text(_) => text
            .trim_start_matches(is_space)
            .starts_with(['{', '['])
            .then(|| json::redact(&text, asked))
            .flatten(),
        Media::Form(_) => {
            let is_whole = body.is_whole && body.total <= body.bytes.len() as u64;
            // Half of what is secret passes every check.
            let whole = if is_whole { text.len() } else { text.rfind('&').unwrap_or(0) };
            let shown = form::redact(&text[..whole], |key| asked.is_field(key));
            Some(if is_whole { shown } else { shown + "[cut]" })
        }
        Media::Other(_) => None,
    }
}

/// `[application/xml, 312 bytes]`
fn size(media: &Media<'_>, body: &Kept) -> String {
    let (Media::Json(name) | Media::Form(name) | Media::Text(name) | Media::Other(name)) = media;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.+-".contains(&byte);
    let is_shown = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(is_plain)
        && !patterns::holds_token(name.as_bytes());
    match is_shown {
        true => format!("[{name}, {} bytes]", body.total),
        false => format!("[{} bytes]", body.total),
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let is_plain = |value: &[u8]| value.is_empty() || value.eq_ignore_ascii_case(b"identity");
    headers.get_all(header::CONTENT_ENCODING).iter().any(|value| !is_plain(value.as_bytes()))
}

fn media(headers: &HeaderMap) -> Media<'_> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(value) = values.next() else { return Media::Text("") };
    let (Ok(value), None) = (value.to_str(), values.next()) else { return Media::Other("") };
    let name = value.split(';').next().unwrap_or_default().trim();
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let lower = name.to_ascii_lowercase();
    if is("application/x-www-form-urlencoded") {
        Media::Form(name)
    } else if lower.ends_with("+json") || JSON.contains(&lower.as_str()) {
        Media::Json(name)
    } else if lower.starts_with("text/") {
        Media::Text(name)
    } else {
        Media::Other(name)
    }
}

/// UTF-8's.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const JSON: [&str; 7] = [
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/ndjson",
    "application/x-ndjson",
    "text/json",
    "text/x-json",
];
/// Longer ones hold more than a type.
const LONGEST_NAME: usize = 80;
