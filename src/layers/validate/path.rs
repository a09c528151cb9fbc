//! Places in JSON, by JSON pointers that may have `*` for all items of an array.

use serde_json::Value;

/// The first place that fits the path and the condition, as a value.
pub(super) fn find<'v>(
    value: &'v Value,
    path: &str,
    fits: &mut impl FnMut(&'v Value) -> bool,
) -> Option<&'v Value> {
    let Some((before, after)) = split(path) else {
        return value.pointer(path).filter(|&found| fits(found));
    };
    let items = value.pointer(before)?.as_array()?;
    items.iter().find_map(|item| find(item, after, fits))
}

/// What stands before and after the first `*` that is a whole segment.
fn split(path: &str) -> Option<(&str, &str)> {
    let stars = path.match_indices("/*");
    let mut split = stars.map(|(at, star)| (&path[..at], &path[at + star.len()..]));
    split.find(|(_, after)| after.is_empty() || after.starts_with('/'))
}
