//! From values to settings: every mistake is kept, with its path.

use serde_json::{Map, Value};

use crate::config::Mistake;

/// Something that can be read from a value, and written as one that reads back the same.
pub(super) trait Setting: Sized {
    /// Reads it; what is wrong is added to the reader's mistakes.
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self>;

    fn write(&self) -> Value;
}

/// Where in the settings one is, and what was found to be wrong so far.
pub(super) struct Reader<'a> {
    path: String,
    found: &'a mut Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(found: &'a mut Vec<Mistake>) -> Self {
        Self { path: String::new(), found }
    }

    /// What is wrong here.
    pub(super) fn wrong(&mut self, problem: impl Into<String>) {
        let path = if self.path.is_empty() { WHOLE } else { &self.path };
        self.found.push(Mistake::new(path, problem));
    }

    /// Reads one of a map's entries, if it is there.
    pub(super) fn entry<T: Setting>(&mut self, map: &Map<String, Value>, key: &str) -> Option<T> {
        let value = map.get(key).filter(|value| !value.is_null())?;
        self.under(key, |reader| T::read(value, reader))
    }

    /// Goes one step down.
    pub(super) fn under<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let dot = if self.path.is_empty() || key.starts_with('[') { "" } else { "." };
        let path = format!("{}{dot}{key}", self.path);
        read(&mut Reader { path, found: self.found })
    }

    /// The value as a map with no other keys than these.
    pub(super) fn map<'v>(
        &mut self,
        value: &'v Value,
        keys: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Value::Object(map) = value else {
            self.wrong(format!("{} where there should be a table of settings", name_of(value)));
            return None;
        };
        for key in map.keys().filter(|key| !keys.contains(&key.as_str())) {
            self.under(key, |reader| reader.wrong(unknown(key, keys)));
        }
        Some(map)
    }
}

/// What is said of a key that nobody knows.
fn unknown(key: &str, keys: &[&str]) -> String {
    match nearest(key, keys) {
        Some(near) => format!("there is no such setting: did you mean {near:?}?"),
        None => format!("there is no such setting: there are {}", keys.join(", ")),
    }
}

/// What is said of a word that is none of these.
pub(super) fn no_such(word: &str, words: &[&str]) -> String {
    match nearest(word, words) {
        Some(near) => format!("{} is not known: did you mean {near:?}?", shown(word)),
        None => format!("{} is not known: use one of {}", shown(word), words.join(", ")),
    }
}

/// The name that is most like this one, if one is like it at all.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), known);
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= LIKE).then_some(*best)
}

/// What a value is, in words.
pub(super) fn name_of(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("{value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => shown(text),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
    }
}

/// The text in quotes, unless it is more than a word or two: it may have got there by mistake, and hold
/// what is nobody's business.
fn shown(text: &str) -> String {
    let length = text.chars().count();
    match length <= LONGEST_SHOWN && !text.contains("://") {
        true => format!("the text {text:?}"),
        false => format!("a text of {length} characters"),
    }
}

/// Where a mistake is that is in no one setting.
pub(super) const WHOLE: &str = "settings";
/// Longer than any word that is a setting.
const LONGEST_SHOWN: usize = 32;
/// A transposition or a letter too few is liker than this, another word isn't.
const LIKE: f64 = 0.8;
