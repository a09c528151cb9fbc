//! Any text: what is found in it is hidden.

use super::encoded::views;
use super::hidden::Hidden;
use super::names::Names;
use super::{pairs, patterns, prose, url};

pub(super) fn redact(text: &str, names: &Names) -> String {
    let mut hidden = Hidden::default();
    find(text, 0, names, &mut hidden);
    hidden.apply(text)
}

/// The same of a text that was cut: what is last in it may be a part of anything.
pub(super) fn redact_cut(text: &str, names: &Names) -> String {
    let mut hidden = Hidden::default();
    find(text, 0, names, &mut hidden);
    hidden.hide(last_word(text), text.len());
    hidden.apply(text)
}

/// An id, in which words name nothing.
pub(super) fn redact_id(id: &str) -> String {
    let mut hidden = Hidden::default();
    for view in views(id, 0) {
        patterns::find_in_id(&view, &mut hidden);
    }
    hidden.apply(id)
}

/// Hides what is found in a part of a text that begins at `offset`.
pub(super) fn find(text: &str, offset: usize, names: &Names, hidden: &mut Hidden) {
    for view in views(text, offset) {
        patterns::find(&view, hidden);
        url::find(&view, names, hidden);
        pairs::find(&view, names, hidden);
        prose::find(&view, names, hidden);
    }
}

/// Where the last word begins, with the digits before it.
fn last_word(text: &str) -> usize {
    let word = text.trim_end().trim_end_matches(|char: char| !char.is_whitespace());
    let is_part = |char: char| char.is_ascii_digit() || char == '-' || char.is_whitespace();
    word.trim_end_matches(is_part).len()
}
