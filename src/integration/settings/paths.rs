//! The paths of settings in a file, and which settings are compared with each other.

use std::borrow::Cow;

use super::tables::Tables;
use crate::integration::slots::Slots;
use crate::settings::ValidationError;

/// The file's path of a setting.
pub(super) fn in_file<'p>(path: &'p str, slots: &Slots) -> Cow<'p, str> {
    match path.split_once('.') {
        Some((table @ ("deadline" | "idle_timeout"), "limit")) => table.into(),
        Some((table, field)) => match Tables::key_of(table, field, slots) {
            "" => table.into(),
            key if key == field => path.into(),
            key => format!("{table}.{key}").into(),
        },
        None => path.into(),
    }
}

/// Whether an error may follow from another: it is in the same table, or in one that the setting is
/// compared with.
pub(super) fn may_follow_from(mistake: &ValidationError, not_understood: &ValidationError) -> bool {
    let (field, other) = (mistake.field(), not_understood.field());
    let is_in = |table: &str| table_of(other) == table || other == table;
    let is_below = other.strip_prefix(field).is_some_and(|rest| rest.starts_with(['.', '[']));
    is_below || is_in(table_of(field)) || compared_with(field).is_some_and(is_in)
}

/// The table with the setting that this one is compared with.
fn compared_with(path: &str) -> Option<&'static str> {
    match path {
        "timeout.attempt" => Some(WHOLE_FILE),
        "hedge.after" | "circuit_breaker.window" | "hyper.connect_timeout" => Some("timeout"),
        "rate_limit.in_flight" => Some("bulkhead"),
        _ => None,
    }
}

fn table_of(path: &str) -> &str {
    path.rsplit_once('.').map_or(WHOLE_FILE, |(table, _)| table)
}

/// The top-level table.
const WHOLE_FILE: &str = "";
