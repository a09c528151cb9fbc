//! Bodies, by what they say they are and by what they look like.

use http::{HeaderMap, header};

use super::names::Names;
use super::{form, json, multipart, text};
use crate::event::Kept;

enum Media {
    Multipart(Option<String>),
    Form,
    Text,
    /// Nobody said.
    Unsaid,
    Other,
}

/// What is shown of a body; `None` if nothing is.
pub(super) fn redact(headers: &HeaderMap, body: &Kept, names: &Names) -> Option<String> {
    if is_encoded(headers) {
        return None;
    }
    let is_whole = body.is_whole && body.total <= body.bytes.len() as u64;
    let media = media(headers);
    if let Media::Multipart(boundary) = &media {
        return parts(&body.bytes, boundary.as_deref(), is_whole, names);
    }
    let text = readable(&body.bytes, is_whole)?;
    match media {
        Media::Other | Media::Multipart(_) => None,
        _ if looks_multipart(text) => parts(text.as_bytes(), None, is_whole, names),
        _ if text.starts_with(['{', '[']) => {
            json::redact(text, names).or_else(|| Some(plain(text, is_whole, names)))
        }
        Media::Form => Some(form::redact(text, is_whole, names)),
        Media::Text | Media::Unsaid => Some(plain(text, is_whole, names)),
    }
}

fn plain(text: &str, is_whole: bool, names: &Names) -> String {
    match is_whole {
        true => text::redact(text, names),
        false => text::redact_cut(text, names),
    }
}

fn parts(bytes: &[u8], boundary: Option<&str>, is_whole: bool, names: &Names) -> Option<String> {
    let boundary = boundary.map_or_else(|| multipart::boundary(bytes), |b| Some(b.as_bytes()))?;
    multipart::redact(bytes, boundary, is_whole, names)
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let is_plain = |value: &[u8]| value.is_empty() || value.eq_ignore_ascii_case(b"identity");
    headers.get_all(header::CONTENT_ENCODING).iter().any(|value| !is_plain(value.as_bytes()))
}

/// A body as text, if it is text.
fn readable(bytes: &[u8], is_whole: bool) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The last character was cut.
        Err(error) if !is_whole && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_odd = |char: char| char.is_control() && !matches!(char, '\t' | '\n' | '\r');
    let text = text.trim_start_matches(|char: char| char == '\u{feff}' || char.is_whitespace());
    (!text.contains(is_odd)).then_some(text)
}

fn looks_multipart(text: &str) -> bool {
    text.starts_with("--") && text.to_ascii_lowercase().contains("content-disposition")
}

fn media(headers: &HeaderMap) -> Media {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(value) = values.next() else { return Media::Unsaid };
    let (Ok(value), None) = (value.to_str(), values.next()) else { return Media::Other };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Media::Form,
        // Tables name their columns far from what is in them.
        "text/csv" | "text/tab-separated-values" => Media::Other,
        multipart if multipart.starts_with("multipart/") => {
            let boundary = multipart::parameter(value, "boundary");
            Media::Multipart(boundary.filter(|boundary| multipart::is_boundary(boundary)))
        }
        text if text.starts_with("text/") || TEXTS.contains(&text) => Media::Text,
        text if text.ends_with("+json") || text.ends_with("+xml") => Media::Text,
        _ => Media::Other,
    }
}

const TEXTS: [&str; 7] = [
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/jsonl",
    "application/ndjson",
    "application/x-ndjson",
    "application/xml",
];
