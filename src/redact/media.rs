//! Media types (RFC 9110, 8.3.1).

use http::{HeaderMap, header};

use super::{patterns, words};

/// The type of a body, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Form,
    /// Some send JSON as text, or don't say what it is.
    Text,
    Other,
}

impl Media {
    /// With its name; an empty one where nobody said, or nobody can tell.
    pub(super) fn of(headers: &HeaderMap) -> (Self, &str) {
        let mut values = headers.get_all(header::CONTENT_TYPE).iter();
        let Some(value) = values.next() else { return (Self::Text, "") };
        let (Ok(value), None) = (value.to_str(), values.next()) else { return (Self::Other, "") };
        let name = value.split(';').next().unwrap_or_default().trim();
        let lower = name.to_ascii_lowercase();
        let media = match lower.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            // `application/problem+json`, `application/x-ndjson`, `application/x-amz-json-1.1`.
            json if json.contains("json") => Self::Json,
            text if text.starts_with("text/") => Self::Text,
            _ => Self::Other,
        };
        (media, name)
    }
}

/// What is shown of a media type: its name, the names of its parameters, and which characters it has.
pub(super) fn redact(value: &str) -> Option<String> {
    let mut parts = value.split(';').map(str::trim);
    let mut shown = parts.next().filter(|name| is_name(name))?.to_owned();
    for parameter in parts {
        let (key, value) = parameter.split_once('=').unwrap_or(("", parameter));
        shown.push_str("; ");
        if key.eq_ignore_ascii_case("charset") && is_name(value.trim_matches('"')) {
            shown.push_str(parameter);
        } else if words::is_identifier(key) {
            shown.push_str(key);
            shown.push_str("=[redacted]");
        } else {
            shown.push_str("[redacted]");
        }
    }
    Some(shown)
}

/// Whether it can be a type's name, and nothing else is in it.
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"/.+-_*".contains(&byte);
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(is_part)
        && !patterns::holds_token(name.as_bytes())
}

/// A longer value contains more than a type.
const LONGEST: usize = 80;
