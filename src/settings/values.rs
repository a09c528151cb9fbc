//! The types of settings' values.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::raw::Raw;
use super::read::{Reader, Setting, name_of};
use crate::settings::Ratio;

/// `"none"`, or a value.
impl<T: Setting> Setting for Option<T> {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        match value {
            Raw::Text(text) if text == NONE => Some(None),
            value => T::read(value, reader).map(Some),
        }
    }

    fn write(&self) -> Value {
        self.as_ref().map_or_else(|| NONE.into(), T::write)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let values = if let Raw::List(values) = value { Some(values) } else { None };
        let values = reader.expect(values, || should_be(value, "a list"))?;
        let read = |(at, value)| reader.under(&format!("[{at}]"), |reader| T::read(value, reader));
        let read: Vec<Option<T>> = values.iter().enumerate().map(read).collect();
        read.into_iter().collect()
    }

    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

impl Setting for Duration {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text(value, "a duration such as \"250ms\", \"2s\" or \"5m\"", reader)?;
        reader.expect(sum_of_spans(text), || {
            let is = name_of(value);
            format!("{is} is no duration: write it as \"250ms\", \"2s\" or \"5m\"")
        })
    }

    fn write(&self) -> Value {
        humantime::format_duration(*self).to_string().into()
    }
}

impl Setting for Ratio {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text(value, "a share such as \"10%\"", reader)?;
        let number = text.trim().strip_suffix('%').map(str::trim);
        let number = number.and_then(|number| number.parse::<f64>().ok());
        let parts = number.map(|percent| (percent * PARTS_OF_A_PERCENT).round());
        let parts = parts.filter(|parts| (0.0..=f64::from(u32::MAX)).contains(parts));
        reader.expect(parts.map(|parts| Self::per_million(parts as u32)), || {
            format!("{} is no share: write it as \"10%\" or \"0.5%\"", name_of(value))
        })
    }

    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Setting for String {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        text(value, "a text", reader).map(ToOwned::to_owned)
    }

    fn write(&self) -> Value {
        self.clone().into()
    }
}

impl Setting for bool {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let read = if let Raw::Bool(read) = value { Some(*read) } else { None };
        reader.expect(read, || should_be(value, "true or false"))
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Setting for f64 {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        reader.expect(value.number(), || should_be(value, "a number"))
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

macro_rules! whole_numbers {
    ($($number:ty, up to $most:expr);*) => {$(
        impl Setting for $number {
            fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
                let most = $most;
                let read = value.whole().and_then(|number| Self::try_from(number).ok());
                reader.expect(read.filter(|number| *number <= most), || {
                    should_be(value, &format!("a whole number from 0 to {most}"))
                })
            }

            fn write(&self) -> Value {
                (*self).into()
            }
        }
    )*};
}

whole_numbers!(u32, up to u32::MAX; usize, up to LARGEST; u64, up to LARGEST as u64);

/// Words that stand for the values of an enum.
macro_rules! words {
    ($($kind:ty { $($value:pat => $word:literal as $made:expr),* $(,)? })*) => {$(
        impl $crate::settings::read::Setting for $kind {
            fn read(
                value: &$crate::settings::raw::Raw,
                reader: &mut $crate::settings::read::Reader<'_>,
            ) -> Option<Self> {
                let words = [$($word),*];
                let word = $crate::settings::values::text(value, &format!("one of {}", words.join(", ")), reader)?;
                match word {
                    $($word => Some($made),)*
                    other => {
                        reader.wrong($crate::settings::read::no_such(other, &words));
                        None
                    }
                }
            }

            fn write(&self) -> serde_json::Value {
                match self {
                    $($value => $word.into(),)*
                }
            }
        }
    )*};
}

pub(crate) use words;

impl Setting for HeaderName {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text(value, "a header's name", reader)?;
        let name = Self::from_bytes(text.as_bytes()).ok();
        reader.expect(name, || format!("{} is no header's name", name_of(value)))
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl Setting for HeaderValue {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let text = text(value, "a header's value", reader)?;
        // Don't show the text: it may be part of a secret.
        reader.expect(Self::from_str(text).ok(), || "the text is no header's value".to_owned())
    }

    fn write(&self) -> Value {
        String::from_utf8_lossy(self.as_bytes()).into()
    }
}

impl Setting for StatusCode {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let number = value.whole().and_then(|number| u16::try_from(number).ok());
        let status = number.and_then(|number| Self::from_u16(number).ok());
        reader.expect(status, || should_be(value, "a status, 100 to 999"))
    }

    fn write(&self) -> Value {
        self.as_u16().into()
    }
}

/// A sum of time spans, for example `1h 30m`. Each span is parsed alone, because humantime panics
/// if some sums are too long for a duration.
fn sum_of_spans(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut sum, mut rest) = (Duration::ZERO, text);
    loop {
        let unit = rest.find(char::is_alphabetic)?;
        let next = rest[unit..].find(|letter: char| letter.is_ascii_digit());
        let (span, others) = rest.split_at(next.map_or(rest.len(), |at| unit + at));
        sum = sum.checked_add(humantime::parse_duration(span).ok()?)?;
        if others.is_empty() {
            return Some(sum);
        }
        rest = others;
    }
}

/// The error text for a value of the wrong type or size.
fn should_be(value: &Raw, wanted: &str) -> String {
    format!("{} where there should be {wanted}", name_of(value))
}

/// The value as text.
pub(crate) fn text<'v>(value: &'v Raw, wanted: &str, reader: &mut Reader<'_>) -> Option<&'v str> {
    reader.expect(value.text(), || should_be(value, wanted))
}

const NONE: &str = "none";
/// The largest number of TOML.
pub(crate) const LARGEST: usize = i64::MAX as usize;
const PARTS_OF_A_PERCENT: f64 = 10_000.0;
