//! Places in JSON, by JSON pointers that may have `*` for all items of an array.

use std::borrow::Cow;

use serde_json::Value;

/// The place of a JSON pointer (RFC 6901); serde_json's own allocates twice for each segment.
pub(super) fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.is_empty() {
        return Some(value);
    }
    let segments = pointer.strip_prefix('/')?.split('/');
    segments.into_iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get(&*unescaped(segment)),
        Value::Array(items) => items.get(index(segment)?),
        _ => None,
    })
}

fn unescaped(segment: &str) -> Cow<'_, str> {
    match segment.contains('~') {
        true => segment.replace("~1", "/").replace("~0", "~").into(),
        false => segment.into(),
    }
}

/// A number without leading zeros (RFC 6901, 4).
fn index(segment: &str) -> Option<usize> {
    let is_one = segment == "0" || !segment.starts_with(['0', '+']);
    segment.parse().ok().filter(|_| is_one)
}

/// The first place that fits the path and the condition, as a value.
pub(super) fn find<'v>(
    value: &'v Value,
    path: &str,
    fits: &mut impl FnMut(&'v Value) -> bool,
) -> Option<&'v Value> {
    let Some((before, after)) = split(path) else {
        return at(value, path).filter(|&found| fits(found));
    };
    let items = at(value, before)?.as_array()?;
    items.iter().find_map(|item| find(item, after, fits))
}

/// What stands before and after the first `*` that is a whole segment.
fn split(path: &str) -> Option<(&str, &str)> {
    let stars = path.match_indices("/*");
    let mut split = stars.map(|(at, star)| (&path[..at], &path[at + star.len()..]));
    split.find(|(_, after)| after.is_empty() || after.starts_with('/'))
}
