//! The word for what failed, as OpenTelemetry's `error.type` has it: the same for spans, metrics and records.

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
use http::StatusCode;

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
use super::known::OTHER;
use crate::event::End;
use crate::terms::Class;

/// What failed; nothing where nothing did, or where whoever asked went away.
pub(super) fn error(end: End) -> Option<&'static str> {
    match end {
        End::Answered { class, .. } | End::Failed { class, .. } => error_of(class),
        End::Abandoned { .. } | End::Overtaken => None,
    }
}

/// What failed, of a class; nothing where nothing did.
pub(super) fn error_of(class: Class) -> Option<&'static str> {
    (!class.is_success()).then(|| class.name())
}

/// What failed, by its status where an answer has one.
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorType {
    /// An answer that failed by its status.
    Status(StatusCode),
    /// All else.
    Word(&'static str),
}

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
impl ErrorType {
    /// Nothing where nothing failed, whatever the status, and where whoever asked went away.
    pub(super) fn of(end: End) -> Option<Self> {
        let word = error(end)?;
        Some(match end {
            End::Answered { status, .. } if !status.is_success() => match status.as_u16() {
                100..=599 => Self::Status(status),
                // Anybody can make up others, of which there would be too many.
                _ => Self::Word(OTHER),
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
