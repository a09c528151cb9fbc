//! Redacts texts that were asked for: recognised secrets in them are hidden.

use super::encoded::views;
use super::hidden::Hidden;
use super::patterns;

/// A text of any kind.
pub(super) fn redact(text: &str) -> String {
    let mut hidden = Hidden::default();
    for view in views(text) {
        patterns::find(&view.bytes, &mut |part| hidden.hide(view.original(&part)));
    }
    hidden.apply(text)
}

/// An id.
pub(super) fn redact_id(id: &str) -> String {
    let mut hidden = Hidden::default();
    for view in views(id) {
        patterns::find_in_id(&view.bytes, &mut |part| hidden.hide(view.original(&part)));
    }
    hidden.apply(id)
}
