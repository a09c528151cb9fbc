//! `application/x-www-form-urlencoded`.

use super::encoded::meant;
use super::hidden::Hidden;
use super::names::Names;
use super::role::{Role, role};
use super::text;

pub(super) fn redact(form: &str, is_whole: bool, names: &Names) -> String {
    let (mut hidden, mut at) = (Hidden::default(), 0);
    let around = Around::of(form, names);
    for pair in form.split('&') {
        let end = at + pair.len();
        let is_last = end == form.len();
        match pair.split_once('=') {
            Some((name, value)) => {
                let begin = at + name.len() + 1;
                text::find(name, at, names, &mut hidden);
                let meant = meant(name);
                if names.is_secret(&meant) || around.hides(&meant) || (is_last && !is_whole) {
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

/// What the other fields tell about one.
struct Around {
    /// One of them names a secret: `field=password&value=…`.
    names_a_secret: bool,
    /// It asks for a token (RFC 6749, 4.1.3): its `code` is no error's.
    is_grant: bool,
}

impl Around {
    fn of(form: &str, names: &Names) -> Self {
        let mut around = Self { names_a_secret: false, is_grant: false };
        for (name, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
            let name = meant(name);
            around.is_grant |= name == "grant_type";
            around.names_a_secret |=
                matches!(role(&name, b'"'), Role::Name) && names.is_secret(&meant(value));
        }
        around
    }

    fn hides(&self, name: &str) -> bool {
        (self.is_grant && name == "code")
            || (self.names_a_secret && matches!(role(name, b'"'), Role::Value))
    }
}
