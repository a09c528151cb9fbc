//! Reads settings from values. All errors are collected, each with its path.

use serde_json::Value;

use super::raw::Raw;
use crate::settings::ValidationError;

/// A type that can be read from a value, and written to a value that reads back the same.
pub(crate) trait Setting: Sized {
    /// Reads a value; errors are added to the reader.
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self>;

    fn write(&self) -> Value;
}

/// The present path in the settings, and the errors so far.
pub(crate) struct Reader<'a> {
    path: String,
    found: &'a mut Vec<ValidationError>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(found: &'a mut Vec<ValidationError>) -> Self {
        Self { path: String::new(), found }
    }

    /// Adds an error at the present path.
    pub(crate) fn wrong(&mut self, problem: impl Into<String>) {
        let path = if self.path.is_empty() { WHOLE } else { &self.path };
        self.found.push(ValidationError::new(path, problem));
    }

    /// Adds an error if nothing could be read.
    pub(crate) fn expect<T>(
        &mut self,
        read: Option<T>,
        problem: impl FnOnce() -> String,
    ) -> Option<T> {
        if read.is_none() {
            self.wrong(problem());
        }
        read
    }

    /// Reads one of a table's entries, if it is there.
    pub(crate) fn entry<T: Setting>(&mut self, table: &[(String, Raw)], key: &str) -> Option<T> {
        let (_, value) = table.iter().find(|(name, _)| name == key)?;
        self.under(key, |reader| match value {
            Raw::Nothing => {
                reader.wrong("null sets nothing: leave it out, or say \"none\" for no limit");
                None
            }
            value => T::read(value, reader),
        })
    }

    /// Reads at the path `key` below the present one.
    pub(crate) fn under<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let dot = if self.path.is_empty() || key.starts_with('[') { "" } else { "." };
        let path = format!("{}{dot}{key}", self.path);
        read(&mut Reader { path, found: self.found })
    }

    /// The value as a table. Other keys than these, and duplicate keys, are errors.
    pub(crate) fn table<'v>(
        &mut self,
        value: &'v Raw,
        keys: &[&str],
    ) -> Option<&'v [(String, Raw)]> {
        let Raw::Table(table) = value else {
            self.wrong(format!("{} where there should be a table of settings", name_of(value)));
            return None;
        };
        for (at, (key, _)) in table.iter().enumerate() {
            let before = table[..at].iter().filter(|(other, _)| other == key).count();
            match (before, keys.contains(&key.as_str())) {
                (0, true) => {}
                (0, false) => self.under(key, |reader| reader.wrong(unknown(key, keys))),
                (1, true) => self.under(key, |reader| {
                    reader.wrong("it is there more than once: keep the one that counts");
                }),
                _ => {}
            }
        }
        Some(table)
    }
}

/// The error text for an unknown key.
fn unknown(key: &str, keys: &[&str]) -> String {
    format!("there is no such setting: {}", suggestion(key, keys, "there are"))
}

/// The error text for an unknown word.
pub(crate) fn no_such(word: &str, words: &[&str]) -> String {
    format!("{} is not known: {}", shown(word), suggestion(word, words, "use one of"))
}

/// What was probably meant, or all that there is: `use one of on, off`.
pub(crate) fn suggestion(name: &str, names: &[&str], otherwise: &str) -> String {
    match nearest(name, names) {
        Some(near) => format!("did you mean {near:?}?"),
        None if names.is_empty() => "there is none".to_owned(),
        None => format!("{otherwise} {}", names.join(", ")),
    }
}

/// The name that was probably meant: the only one that contains `name` or is contained in it;
/// otherwise the nearest one, if at most a third of the letters differ.
pub(crate) fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let name = name.to_lowercase();
    let is_part = |known: &&&str| {
        let (short, long) =
            if name.len() < known.len() { (&*name, **known) } else { (**known, &*name) };
        short.len() >= SHORTEST_PART && long.contains(short)
    };
    let mut parts = names.iter().filter(is_part);
    if let (Some(only), None) = (parts.next(), parts.next()) {
        return Some(*only);
    }
    let distance = |known: &str| strsim::osa_distance(&name, known);
    let best = names.iter().min_by_key(|known| distance(known))?;
    (distance(best) <= name.chars().count().div_ceil(3)).then_some(*best)
}

/// A description of a value for error texts.
pub(crate) fn name_of(value: &Raw) -> String {
    match value {
        Raw::Nothing => "nothing".into(),
        Raw::Bool(value) => format!("{value}"),
        Raw::Whole(number) => format!("the number {number}"),
        Raw::Negative(number) => format!("the number {number}"),
        Raw::Number(number) if number.is_finite() => format!("the number {number:?}"),
        Raw::Number(number) => format!("{number}"),
        Raw::Text(text) => shown(text),
        Raw::List(_) => "a list".into(),
        Raw::Table(_) => "a table".into(),
    }
}

/// The text in quotes if it is short. A longer text may be a secret that was pasted by mistake.
fn shown(text: &str) -> String {
    let length = text.chars().count();
    match length <= LONGEST_SHOWN && !text.contains("://") {
        true => format!("the text {text:?}"),
        false => format!("a text of {length} characters"),
    }
}

/// The path of an error that belongs to no single setting.
pub(crate) const WHOLE: &str = "settings";
/// Longer than any word of a setting.
const LONGEST_SHOWN: usize = 32;
/// Fewer letters occur in too many words.
const SHORTEST_PART: usize = 3;
