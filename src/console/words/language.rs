use std::fmt;

use super::template::fits;
use super::texts::{COUNTED, PLAIN, words_of_enums};

/// The console's words in another language than English.
///
/// A text is looked up by the English one, which has named places: `{n} of {all} obey`. Its translation has the
/// same places, in any order. What has no translation, or one with other places, is shown in English.
/// [`Text::all`] are all of them, and [`check_words`] is for a test: it says what a new version of this crate added.
///
/// What stands at a place may be empty, or a part of the sentence with its own space or comma: ` for {time}`. Names, what
/// providers and people wrote, the words of metrics (`server_error`, `fallback-only`), errors, dates and units (`ms`, `s`,
/// `min`, `h`, `d`) stay as they are. So does what is told to robots and to
/// [`RecordAct`](crate::console::RecordAct): it is English.
///
/// ```
/// use outrigger::console::{Console, OpenOnLoopback, TextFault, Words, check_words};
/// use outrigger::control::Registry;
///
/// struct German;
///
/// impl Words for German {
///     fn language(&self) -> &str {
///         "de"
///     }
///
///     fn text(&self, english: &str, number: Option<u64>) -> Option<&str> {
///         Some(match (english, number) {
///             ("Integrations", _) => "Anbindungen",
///             ("{name} works.", _) => "{name} funktioniert.",
///             ("{n} messages wait for a person", Some(1)) => "{n} Nachricht wartet auf jemanden",
///             ("{n} messages wait for a person", _) => "{n} Nachrichten warten auf jemanden",
///             _ => return None,
///         })
///     }
/// }
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let console = Console::builder(&Registry::new(), OpenOnLoopback).words(German).build()?;
///
/// // In a test. As long as it isn't whole, what is there must be right.
/// let wrong = check_words(&German).into_iter().find(TextFault::is_wrong);
/// assert_eq!(wrong, None);
/// # let _ = console;
/// # Ok(()) }
/// ```
pub trait Words: Send + Sync + 'static {
    /// The language's tag (RFC 5646), such as `de` or `pt-BR`: every page has it as its `lang`.
    fn language(&self) -> &str;

    /// Whether it is written from right to left, as Arabic and Hebrew are. It isn't by default.
    fn is_right_to_left(&self) -> bool {
        false
    }

    /// The translation of an English text; `None` shows the English one.
    ///
    /// `number` is there for texts that have forms by number, whose `english` is the form for many. Which form a
    /// number takes is the language's: English has two, Arabic six.
    fn text(&self, english: &str, number: Option<u64>) -> Option<&str>;
}

/// One of the console's texts in English: what its translations are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text {
    /// The text, with its places in braces. One with a number is that for many.
    pub english: &'static str,
    /// The form for one, where the text has a number.
    pub one: Option<&'static str>,
}

/// What is wrong with a translation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextFault {
    /// The English text.
    pub english: &'static str,
    /// The first number for which it is so, if the text has a number.
    pub number: Option<u64>,
    /// The translation, which has other places; `None` if there is none.
    pub translation: Option<String>,
}

/// All texts that have no translation, or one with other places. Texts with a number are tried with those from 0 to
/// 200, a thousand and a million.
#[must_use]
pub fn check_words(words: &impl Words) -> Vec<TextFault> {
    let mut faults: Vec<TextFault> = Vec::new();
    for Text { english, one } in Text::all() {
        let numbers = (0..=200).chain([1_000, 1_000_000]).map(Some);
        let numbers: Vec<_> = if one.is_some() { numbers.collect() } else { vec![None] };
        for number in numbers {
            let translation = words.text(english, number);
            let is_known = |known: &TextFault| {
                (known.english, known.translation.as_deref()) == (english, translation)
            };
            if !translation.is_some_and(|text| fits(text, english)) && !faults.iter().any(is_known)
            {
                faults.push(TextFault {
                    english,
                    number,
                    translation: translation.map(str::to_owned),
                });
            }
        }
    }
    faults
}

impl Text {
    /// All texts of the console.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = PLAIN.iter().flat_map(|texts| texts.iter().copied()).chain(words_of_enums());
        let plain = plain.map(|english| Self { english, one: None });
        plain.chain(COUNTED.iter().map(|[one, english]| Self { english, one: Some(one) }))
    }

    /// A word of one of the enums in `texts`.
    pub(in crate::console) const fn word(english: &'static str) -> Self {
        Self { english, one: None }
    }

    /// One of the texts; it is found while this crate is compiled.
    pub(in crate::console) const fn known(english: &'static str, places: &[&str]) -> Self {
        let mut list = 0;
        while list < PLAIN.len() {
            let mut at = 0;
            while at < PLAIN[list].len() {
                if is_same(PLAIN[list][at].as_bytes(), english.as_bytes()) {
                    assert!(has(english, places), "the text has other places");
                    return Self { english, one: None };
                }
                at += 1;
            }
            list += 1;
        }
        panic!("translators don't know this text: add it to console/words/texts")
    }

    /// One of those with a number.
    pub(in crate::console) const fn known_counted(english: &'static str, places: &[&str]) -> Self {
        let mut at = 0;
        while at < COUNTED.len() {
            let [one, many] = COUNTED[at];
            if is_same(many.as_bytes(), english.as_bytes()) {
                assert!(has(many, places) && has(one, places), "the text has other places");
                return Self { english, one: Some(one) };
            }
            at += 1;
        }
        panic!("translators don't know this text: add it to console/words/texts")
    }

    /// In English.
    pub(super) fn form(self, number: Option<u64>) -> &'static str {
        self.one.filter(|_| number == Some(1)).unwrap_or(self.english)
    }
}

impl TextFault {
    /// Whether there is a translation, and it has other places.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.translation.is_some()
    }
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { english, number, translation } = self;
        match translation {
            Some(translation) => write!(f, "{translation:?} has other places than {english:?}")?,
            None => write!(f, "{english:?} has no translation")?,
        }
        number.map_or(Ok(()), |number| write!(f, ", for {number}"))
    }
}

/// What the texts are written in.
pub(in crate::console) struct English;

impl Words for English {
    fn language(&self) -> &str {
        "en"
    }

    fn text(&self, _: &str, _: Option<u64>) -> Option<&str> {
        None
    }
}

/// Whether a text has each of these places once, and no other.
const fn has(text: &str, places: &[&str]) -> bool {
    let text = text.as_bytes();
    let (mut at, mut found) = (0, 0);
    while at < text.len() {
        if text[at] == b'{' {
            let (_, open) = text.split_at(at + 1);
            let (mut place, mut is_known) = (0, false);
            while place < places.len() {
                let name = places[place].as_bytes();
                if open.len() > name.len() && open[name.len()] == b'}' {
                    is_known |= is_same(open.split_at(name.len()).0, name);
                }
                place += 1;
            }
            if !is_known {
                return false;
            }
            found += 1;
        }
        at += 1;
    }
    found == places.len()
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
