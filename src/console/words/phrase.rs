//! What is said, in no language yet.

use std::fmt::{self, Write};

use maud::{Escaper, Markup, PreEscaped};

use super::language::{English, Text, Words};
use super::template::{Part, fits, parts};
use super::written::shown;

/// Something to say: it becomes English for the record and for robots, and the host's language on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::console) enum Phrase {
    /// What has no translation: a name, a number, what a stranger wrote, an error.
    Data(String),
    /// A part of a page.
    Html(String),
    /// A text, the number that chooses its form, and what stands at its places.
    Text { text: Text, number: Option<u64>, places: Vec<(&'static str, Self)> },
    /// One after the other.
    List { parts: Vec<Self>, between: &'static str },
}

/// One of the English texts, without places. One that isn't in `texts` doesn't compile.
macro_rules! text {
    // As an item, so that `cargo check` looks at it.
    ($find:ident($($argument:expr),+)) => {{
        const TEXT: $crate::console::words::Text =
            $crate::console::words::Text::$find($($argument),+);
        TEXT
    }};
    ($english:literal) => {
        $crate::console::words::text!(known($english, &[]))
    };
}

/// One that has a form for one, and whose only place is the number `n`.
macro_rules! counted_text {
    ($english:literal) => {
        $crate::console::words::text!(known_counted($english, &["n"]))
    };
}

/// An English text with its places filled. One that isn't in `texts`, or has other places, doesn't compile.
macro_rules! phrase {
    ($english:literal $(, $place:ident = $value:expr)* $(,)?) => {
        $crate::console::words::Phrase::Text {
            text: $crate::console::words::text!(known($english, &[$(stringify!($place)),*])),
            number: None,
            places: vec![$((stringify!($place), $crate::console::words::Phrase::from($value))),*],
        }
    };
}

/// The same of a text that has a form for one. Its first place is the number.
macro_rules! counted {
    ($english:literal, $number:ident = $count:expr $(, $place:ident = $value:expr)* $(,)?) => {{
        let count = u64::try_from($count).unwrap_or(u64::MAX);
        $crate::console::words::Phrase::Text {
            text: $crate::console::words::text!(known_counted(
                $english,
                &[stringify!($number) $(, stringify!($place))*]
            )),
            number: Some(count),
            places: vec![
                (stringify!($number), $crate::console::words::Phrase::from(count))
                $(, (stringify!($place), $crate::console::words::Phrase::from($value)))*
            ],
        }
    }};
}

/// A phrase in the language of these words, on a page.
macro_rules! say {
    ($words:expr, $($phrase:tt)+) => {
        $words.html($crate::console::words::phrase!($($phrase)+))
    };
}

pub(in crate::console) use {counted, counted_text, phrase, say, text};

impl dyn Words {
    /// For a page: what isn't ours is escaped, and shown without control characters.
    pub(in crate::console) fn html(&self, phrase: impl Into<Phrase>) -> Markup {
        let mut html = String::new();
        phrase.into().write(self, true, &mut html);
        PreEscaped(html)
    }

    /// For where nothing is escaped.
    pub(in crate::console) fn plain(&self, phrase: &Phrase) -> String {
        let mut plain = String::new();
        phrase.write(self, false, &mut plain);
        plain
    }
}

impl Phrase {
    /// A text that has forms, of which the number is the only place.
    pub(in crate::console) fn of(text: Text, number: u64) -> Self {
        Self::Text { text, number: Some(number), places: vec![("n", number.into())] }
    }

    /// All of them that there are, one after the other.
    pub(in crate::console) fn list(
        parts: impl IntoIterator<Item = Self>,
        between: &'static str,
    ) -> Self {
        let parts = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self::List { parts, between }
    }

    /// Whether there is nothing to say.
    pub(in crate::console) fn is_empty(&self) -> bool {
        match self {
            Self::Data(text) | Self::Html(text) => text.is_empty(),
            Self::Text { .. } => false,
            Self::List { parts, .. } => parts.is_empty(),
        }
    }

    fn write(&self, words: &dyn Words, is_html: bool, to: &mut String) {
        let put = |text: &str, to: &mut String| match is_html {
            // Writing into a text can't fail.
            true => drop(Escaper::new(to).write_str(text)),
            false => to.push_str(text),
        };
        match self {
            Self::Data(data) if is_html => put(&shown(data), to),
            Self::Data(data) => put(data, to),
            Self::Html(html) => to.push_str(html),
            Self::List { parts, between } => {
                for (at, part) in parts.iter().enumerate() {
                    put(if at == 0 { "" } else { between }, to);
                    part.write(words, is_html, to);
                }
            }
            Self::Text { text, number, places } => {
                let translated = words.text(text.english, *number);
                let translated = translated.filter(|template| fits(template, text.english));
                for part in parts(translated.unwrap_or_else(|| text.form(*number))) {
                    let (Part::Text(name) | Part::Place(name)) = part;
                    match places.iter().find(|(place, _)| part == Part::Place(place)) {
                        Some((_, filled)) => filled.write(words, is_html, to),
                        None => put(name, to),
                    }
                }
            }
        }
    }
}

impl Default for Phrase {
    /// Nothing.
    fn default() -> Self {
        Self::Data(String::new())
    }
}

/// In English.
impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let english: &dyn Words = &English;
        f.write_str(&english.plain(self))
    }
}

impl From<Text> for Phrase {
    fn from(text: Text) -> Self {
        Self::Text { text, number: None, places: Vec::new() }
    }
}

impl From<Markup> for Phrase {
    fn from(html: Markup) -> Self {
        Self::Html(html.into_string())
    }
}

impl From<Option<Self>> for Phrase {
    fn from(phrase: Option<Self>) -> Self {
        phrase.unwrap_or_default()
    }
}

macro_rules! data {
    ($($kind:ty),+) => {
        $(impl From<$kind> for Phrase {
            fn from(data: $kind) -> Self {
                Self::Data(data.to_string())
            }
        })+
    };
}

data!(&str, String, &String, u16, u32, u64, usize);
