//! Names that are values themselves: `name: "token", value: "…"`.

use super::encoded::Seen;
use super::json::{Role, role};
use super::names::Names;
use super::pairs::{LONGEST_NAME, closing, key};

/// What the last field that names another one said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing, or a name that is not secret.
    Nothing,
    /// A secret name.
    Secret,
    /// The same, in an attribute of an element.
    InTag,
}

impl Told {
    /// What is known after the field whose sign is here.
    pub(super) fn by(self, view: &[Seen], sign: usize, names: &Names) -> Self {
        if !matches!(role(&key(view, sign), b'"'), Role::Name) {
            return self;
        }
        match (names.is_secret(&named(view, sign + 1)), view[sign].char) {
            (false, _) => Self::Nothing,
            (true, '=') => Self::InTag,
            (true, _) => Self::Secret,
        }
    }

    /// Whether the value of the field whose sign is here has a secret name elsewhere.
    pub(super) fn hides(self, view: &[Seen], sign: usize) -> bool {
        self != Self::Nothing && matches!(role(&key(view, sign), b'"'), Role::Value)
    }

    pub(super) fn is_in_tag(self) -> bool {
        self == Self::InTag
    }
}

/// The name that is told here: `"token"`, `Some("token")`, `token`.
fn named(view: &[Seen], from: usize) -> String {
    let is_space = |seen: &&Seen| seen.char.is_whitespace();
    let from = from + view[from..].iter().take_while(is_space).count();
    let is_part = |seen: &&Seen| seen.char.is_alphanumeric() || "-_.:(".contains(seen.char);
    let word = view[from..].iter().take(LONGEST_NAME).take_while(is_part).count();
    let text = match view.get(from + word).map(|seen| seen.char) {
        Some(quote @ ('"' | '\'')) => {
            let cap = view.len().min(from + word + 1 + LONGEST_NAME);
            let begin = from + word + 1;
            &view[begin..closing(&view[..cap], begin, quote)]
        }
        _ => &view[from..from + word],
    };
    text.iter().map(|seen| seen.char).collect()
}
