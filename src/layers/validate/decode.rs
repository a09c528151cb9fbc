use std::borrow::Cow;
use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_path_to_error::{Path, Segment, Track};

use super::check::{Answered, Check};
use super::finding::Finding;
use super::json::{is_json, without_mark};
use super::prefix::Prefix;
use crate::redact::shown_pointer;

/// Whether a value of your type can be made of an answer of JSON: [`Verdict::Invalid`](super::Verdict::Invalid)
/// with the place where it can't.
///
/// ```
/// use outrigger::validate::{Check, Decodes, ValidateLayer};
///
/// # type Charge = serde_json::Value;
/// let layer = ValidateLayer::new().enforce(Decodes::<Charge>::new().at("/v1/charges/{id}").named("charge"));
/// # let _ = layer;
/// ```
///
/// The value is made once for the check and once for you: small answers cost microseconds.
#[derive(Debug)]
pub struct Decodes<T>(PhantomData<fn() -> T>);

/// A value of an answer, and what of the answer it doesn't know. See
/// [`ResponseExt::checked`](crate::ResponseExt::checked).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked<T> {
    /// The value.
    pub value: T,
    /// The members that the type doesn't know, each once, as JSON pointers with `*` for all items of an
    /// array and for a name that may be private, such as one with spaces; the first 100.
    pub unknown: Vec<String>,
}

/// A value of an enum, or the text of one that isn't known yet: so that a new variant of the provider's
/// fails nothing but what needs it.
///
/// ```
/// use outrigger::validate::Lenient;
///
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// enum State { Paid, Refunded }
///
/// let state: Lenient<State> = serde_json::from_str(r#""Paid""#)?;
/// assert_eq!(state.known(), Some(&State::Paid));
/// let state: Lenient<State> = serde_json::from_str(r#""Disputed""#)?;
/// assert_eq!(state, Lenient::Unknown("Disputed".to_owned()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Lenient<E> {
    /// One of the type's variants.
    Known(E),
    /// Another text.
    Unknown(String),
}

impl<T> Decodes<T> {
    /// Values of this type.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Decodes<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: DeserializeOwned + 'static> Check for Decodes<T> {
    fn name(&self) -> &'static str {
        "decodes"
    }

    fn check(&self, _: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        // Not by the value of the JSON: a type may leave out what can't be read.
        let made = body.whole().and_then(|bytes| match decode::<T>(bytes) {
            Ok(_) => Ok(Finding::pass()),
            Err(_) if !is_json(bytes) => body.json().map(|_| Finding::pass()),
            Err(finding) => Err(finding),
        });
        made.unwrap_or_else(|finding| finding)
    }
}

impl<E> Lenient<E> {
    /// The value, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&E> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Lenient<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value: StringDeserializer<serde::de::value::Error> = text.clone().into_deserializer();
        Ok(E::deserialize(value).map_or(Self::Unknown(text), Self::Known))
    }
}

impl<E: Serialize> Serialize for Lenient<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(text) => serializer.serialize_str(text),
        }
    }
}

/// Makes a value of JSON, or says where and why it can't be made, without any value.
pub(crate) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<Checked<T>, Finding> {
    let (mut track, mut unknown) = (Track::new(), BTreeSet::new());
    let mut reader = serde_json::Deserializer::from_slice(without_mark(json));
    let mut note = |path: serde_ignored::Path<'_>| {
        if unknown.len() < MOST_UNKNOWN {
            unknown.insert(unknown_at(&path));
        }
    };
    let ignoring = serde_ignored::Deserializer::new(&mut reader, &mut note);
    let value = T::deserialize(serde_path_to_error::Deserializer::new(ignoring, &mut track));
    let invalid = |error: serde_json::Error| Finding::invalid(fault_of(&error, json));
    let value = value.map_err(|error| invalid(error).at(pointer_of(&track.path())))?;
    reader.end().map_err(invalid)?;
    Ok(Checked { value, unknown: unknown.into_iter().collect() })
}

/// What is wrong with JSON, without any value of it.
pub(crate) fn fault_of(error: &serde_json::Error, json: &[u8]) -> Cow<'static, str> {
    let text = error.to_string();
    let what = text.split_once(" at line").map_or(text.as_str(), |(what, _)| what);
    match () {
        // Of serde's sentences, this one alone never quotes a value.
        () if is_missing_field(what) => what.to_owned().into(),
        () if error.is_eof() && !json.is_empty() => "it ends too early".into(),
        () if error.is_data() => "a value of another type than expected".into(),
        () if json.is_empty() => "there is no body".into(),
        () => "it is no json".into(),
    }
}

/// "missing field `name`", and nothing else that a type may have made of it.
fn is_missing_field(text: &str) -> bool {
    let name = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-.$@".contains(letter);
    name.is_some_and(|name| name.chars().all(is_name))
}

fn pointer_of(path: &Path) -> String {
    shown_pointer(path.iter().map(|segment| match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } => key.clone(),
        Segment::Enum { variant } => variant.clone(),
        Segment::Unknown => "*".to_owned(),
    }))
}

/// An unknown member's place, with `*` for all items.
fn unknown_at(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path::{Map, NewtypeStruct, NewtypeVariant, Root, Seq, Some};
    let (mut at, mut segments) = (path, Vec::new());
    loop {
        at = match at {
            Root => break,
            Seq { parent, .. } => {
                segments.push("*");
                parent
            }
            Map { parent, key } => {
                segments.push(key);
                parent
            }
            Some { parent } | NewtypeStruct { parent } | NewtypeVariant { parent } => parent,
        };
    }
    shown_pointer(segments.iter().rev())
}

/// More are a type of another answer.
const MOST_UNKNOWN: usize = 100;
