//! Values of a file before they are checked. Nothing is lost or added.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value as it was written. `serde_json::Value` would lose `nan` and `inf`, and duplicate keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    /// JSON's `null`.
    Nothing,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    /// Any other number, `inf` and `nan` too.
    Number(f64),
    Text(String),
    List(Vec<Self>),
    /// Keys and values in the order of the file.
    Table(Vec<(String, Self)>),
}

/// Accepts a value of any type.
struct AsWritten;

impl Raw {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn whole(&self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, if the value is one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Negative(number) => Some(*number as f64),
            Self::Number(number) => Some(*number).filter(|number| number.is_finite()),
            _ => None,
        }
    }

    /// Replaces former names of settings, and former words, by the present ones.
    pub(crate) fn with_present_names(self) -> Self {
        let present = |(key, value): (String, Self)| {
            let name = FORMER_NAMES.iter().find(|(former, _)| *former == key);
            let word = |(name, former, _): &&_| (*name, Some(*former)) == (&*key, value.text());
            let word = FORMER_WORDS.iter().find(word).map(|(.., word)| Self::Text((*word).into()));
            let value = word.unwrap_or_else(|| value.with_present_names());
            (name.map_or(key, |(_, name)| (*name).to_owned()), value)
        };
        match self {
            Self::Table(entries) => Self::Table(entries.into_iter().map(present).collect()),
            other => other,
        }
    }
}

/// Former names of settings, each with the present one.
const FORMER_NAMES: [(&str, &str); 3] =
    [("excess", "on_limit"), ("longest", "max_len"), ("minting", "key_source")];
/// Former words, each after its setting's former name and before the present word.
const FORMER_WORDS: [(&str, &str, &str); 2] =
    [("minting", "always", "caller-or-generated"), ("minting", "callers-only", "caller")];

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsWritten)
    }
}

impl<'de> Visitor<'de> for AsWritten {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(u64::try_from(number).map_or(Raw::Negative(number), Raw::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Raw, D::Error> {
        Raw::deserialize(inner)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Raw, D::Error> {
        Raw::deserialize(inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Raw::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = table.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Table(entries))
    }
}
