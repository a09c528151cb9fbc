//! What Rust's `Debug` writes without a sign between a name and its value.

use super::encoded::Seen;
use super::hidden::Hidden;
use super::names::Names;
use super::pairs::{LONGEST_NAME, assigned, bracketed, closing};

/// Hides what is in the bracket that opens here, by the type that it belongs to (`Token("…")`,
/// `Token { … }`) or by the name that is first in it (`("token", "…")`); says where to look on.
pub(super) fn find(view: &[Seen], at: usize, names: &Names, hidden: &mut Hidden) -> usize {
    if is_value(view, at) && names.is_opening_type(&type_name(view, at)) {
        let end = bracketed(view, at);
        let inside = &view[at + 1..end];
        let inside = match inside {
            [inside @ .., Seen { char: ')' | '}', .. }] => inside,
            unclosed => unclosed,
        };
        if let [first, .., last] = inside {
            hidden.hide(first.from, last.to);
        }
        return end;
    }
    match after_name(view, at, names) {
        Some(from) => assigned(view, from, hidden),
        None => at + 1,
    }
}

/// Whether a bracket holds a value: no remark, and no fields that have names of their own.
fn is_value(view: &[Seen], at: usize) -> bool {
    let inside = view[at + 1..].iter().map(|seen| seen.char);
    let mut inside = inside.skip_while(|char| char.is_whitespace());
    if view[at].char == '{' {
        let field: String = inside.take(LONGEST_NAME).take_while(|char| *char != ':').collect();
        return FIELDS.contains(&field.as_str());
    }
    inside.next().is_some_and(|first| !first.is_lowercase() || inside.next() == Some('"'))
}

/// The type before a bracket.
fn type_name(view: &[Seen], at: usize) -> String {
    let is_part = |seen: &&Seen| seen.char.is_alphanumeric() || seen.char == '_';
    let before = match &view[..at] {
        [before @ .., Seen { char: ' ', .. }] if view[at].char == '{' => before,
        before => before,
    };
    let length = before.iter().rev().take(LONGEST_NAME).take_while(is_part).count();
    before[before.len() - length..].iter().map(|seen| seen.char).collect()
}

/// Where the value begins whose name is first in a tuple.
fn after_name(view: &[Seen], at: usize, names: &Names) -> Option<usize> {
    let skip = |from: usize| {
        from + view[from..].iter().take_while(|seen| seen.char.is_whitespace()).count()
    };
    let quote = skip(at + 1);
    if view[at].char != '(' || view.get(quote)?.char != '"' {
        return None;
    }
    let cap = view.len().min(quote + 1 + LONGEST_NAME);
    let end = closing(&view[..cap], quote + 1, '"');
    let name: String = view[quote + 1..end].iter().map(|seen| seen.char).collect();
    let comma = skip((end + 1).min(view.len()));
    let is_part = |char: char| char.is_alphanumeric() || "-_.[] ".contains(char);
    let is_name = view.get(comma)?.char == ',' && name.chars().all(is_part);
    (is_name && names.is_secret(&name)).then_some(comma + 1)
}

/// Names of fields that say nothing.
const FIELDS: [&str; 7] = ["0", "bytes", "data", "inner", "raw", "text", "value"];
