//! `application/x-www-form-urlencoded`.

use super::encoded::views;
use super::hidden::Hidden;
use super::names::Names;
use super::text;

pub(super) fn redact(form: &str, is_whole: bool, names: &Names) -> String {
    let (mut hidden, mut at) = (Hidden::default(), 0);
    for pair in form.split('&') {
        let end = at + pair.len();
        let is_last = end == form.len();
        match pair.split_once('=') {
            Some((name, value)) => {
                let begin = at + name.len() + 1;
                text::find(name, at, names, &mut hidden);
                if names.is_secret(&meant(name)) || (is_last && !is_whole) {
                    hidden.hide(begin, end);
                } else {
                    text::find(value, begin, names, &mut hidden);
                }
            }
            // A value without a name.
            None => hidden.hide(at, end),
        }
        at = end + 1;
    }
    hidden.apply(form)
}

/// What an encoded name means.
fn meant(name: &str) -> String {
    let view = views(name, 0).pop().unwrap_or_default();
    view.iter().map(|seen| seen.char).collect()
}
