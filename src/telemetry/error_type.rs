use http::StatusCode;

use super::words;
use crate::event::End;

/// What failed, as OpenTelemetry's `error.type` has it: the same for spans and for metrics.
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorType {
    /// An answer that failed by its status.
    Status(StatusCode),
    /// All else.
    Word(&'static str),
}

impl ErrorType {
    /// Nothing where nothing failed, whatever the status, and where whoever asked went away.
    pub(super) fn of(end: End) -> Option<Self> {
        let word = words::error(end)?;
        Some(match end {
            End::Answered { status, .. } if !status.is_success() => match status.as_u16() {
                100..=599 => Self::Status(status),
                // Anybody can make up others, of which there would be too many.
                _ => Self::Word(words::OTHER),
            },
            _ => Self::Word(word),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Status(status) => status.as_str(),
            Self::Word(word) => word,
        }
    }
}
