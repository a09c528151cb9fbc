use std::sync::Arc;

use crate::telemetry::error_type::ErrorType;

/// A metric's labels with their values.
pub(super) type Labels = Vec<(&'static str, Text)>;

/// The value of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Text {
    Word(&'static str),
    Kept(Arc<str>),
    Number(u16),
}

impl From<&'static str> for Text {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Kept(text)
    }
}

impl From<ErrorType> for Text {
    /// A status becomes a text of digits.
    fn from(error: ErrorType) -> Self {
        match error {
            ErrorType::Status(_) => Self::Kept(error.as_str().into()),
            ErrorType::Word(word) => Self::Word(word),
        }
    }
}

impl From<u16> for Text {
    fn from(number: u16) -> Self {
        Self::Number(number)
    }
}
