//! Names that are values themselves: `name: "token", value: "…"`.

use super::encoded::Seen;
use super::names::Names;
use super::pairs::{LONGEST_NAME, closing, is_named_by, key};
use super::role::{Role, role};

/// What the last field that names another one said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing, or a name that is not secret.
    Nothing,
    /// A secret name.
    Secret,
    /// The same, in an attribute of an element.
    InTag,
    /// The same, in an element of its own.
    InElement,
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

    /// What is known after the element that begins here: `<name>pin</name>` tells as `name="pin"` does.
    pub(super) fn by_element(self, view: &[Seen], at: usize, names: &Names) -> Self {
        let local = local_name(view, at);
        if !matches!(role(&local, b'"'), Role::Name) {
            return self;
        }
        let content = |from: usize| {
            let inside = view[from..].iter().map(|seen| seen.char).take(LONGEST_NAME);
            inside.take_while(|char| *char != '<').collect::<String>()
        };
        let tag = view[at..].iter().take(LONGEST_NAME).position(|seen| seen.char == '>');
        match tag.map(|tag| names.is_secret(content(at + tag + 1).trim())) {
            Some(true) => Self::InElement,
            Some(false) => Self::Nothing,
            None => self,
        }
    }

    /// Whether the element that begins here holds what an element before it has named.
    pub(super) fn hides_element(self, view: &[Seen], at: usize) -> bool {
        let local = || local_name(view, at);
        // A property list's values are named by their type.
        self == Self::InElement
            && (matches!(role(&local(), b'"'), Role::Value) || local() == "string")
    }

    /// Whether the value of the field whose sign is here has a secret name elsewhere.
    pub(super) fn hides(self, view: &[Seen], sign: usize) -> bool {
        self != Self::Nothing && matches!(role(&key(view, sign), b'"'), Role::Value)
    }

    pub(super) fn is_in_tag(self) -> bool {
        self == Self::InTag
    }
}

/// The name of the element that begins here, without its namespace.
fn local_name(view: &[Seen], at: usize) -> String {
    let name = view[at + 1..].iter().map(|seen| seen.char).take(LONGEST_NAME);
    let name: String = name.take_while(|char| is_named_by(*char)).collect();
    name.rsplit(':').next().unwrap_or_default().to_owned()
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
