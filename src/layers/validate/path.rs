//! Places in JSON, by JSON pointers that may have `*` for all items of an array.

use serde_json::Value;

/// The first place that fits the path and the condition, as a value.
pub(super) fn find<'v>(
    value: &'v Value,
    path: &str,
    fits: &mut impl FnMut(&'v Value) -> bool,
) -> Option<&'v Value> {
    let Some((before, after)) = path.split_once("/*") else {
        return value.pointer(path).filter(|&found| fits(found));
    };
    let items = value.pointer(before)?.as_array()?;
    items.iter().find_map(|item| find(item, after, fits))
}
