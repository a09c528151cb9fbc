//! A body as JSON.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::finding::Finding;
use crate::terms::Unchecked;

/// The value of a whole body, or why there is none.
pub(super) fn read(body: &[u8]) -> Result<Value, Finding> {
    let json = without_mark(body);
    serde_json::from_slice(json).map_err(|_| match () {
        () if json.is_empty() => Finding::transient("there is no body"),
        () if is_json(json) => Finding::unchecked(Unchecked::Unreadable),
        () => Finding::transient("the body is no json"),
    })
}

/// Whether it is JSON by its grammar, whatever is in its texts and numbers, and however deep.
pub(super) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(without_mark(body)).is_ok()
}

/// The text without a byte order mark, which a reader may skip (RFC 8259, 8.1).
pub(crate) fn without_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json)
}

/// How many members of this text, which is JSON, are not in its value, because another with the same name
/// came after. A member has one colon, and outside of strings there are no others.
pub(super) fn duplicates(json: &[u8], value: &Value) -> usize {
    let (mut colons, mut in_string, mut is_escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => colons += 1,
            _ => {}
        }
    }
    colons.saturating_sub(members(value))
}

/// All members, of all levels. The value is at most 127 levels deep.
fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
