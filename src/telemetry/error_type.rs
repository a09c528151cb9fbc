//! The word for a failure, as in OpenTelemetry's `error.type`: the same in spans, metrics and
//! records.

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
use http::StatusCode;

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
use super::known::OTHER;
use crate::event::End;
use crate::terms::Class;

/// The failure of a call or attempt. `None` for a success, or if the caller left.
pub(super) fn error(end: End) -> Option<&'static str> {
    match end {
        End::Answered { class, .. } | End::Failed { class, .. } => error_of(class),
        End::Abandoned { .. } | End::Overtaken => None,
    }
}

/// The failure of a class; `None` for a success.
pub(super) fn error_of(class: Class) -> Option<&'static str> {
    (!class.is_success()).then(|| class.name())
}

/// A failure: the status if there is one, or a word.
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorType {
    /// An answer that failed by its status.
    Status(StatusCode),
    /// Another failure.
    Word(&'static str),
}

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
impl ErrorType {
    /// `None` for a success, whatever the status, or if the caller left.
    pub(super) fn of(end: End) -> Option<Self> {
        let word = error(end)?;
        Some(match end {
            End::Answered { status, .. } if !status.is_success() => match status.as_u16() {
                100..=599 => Self::Status(status),
                // A provider can invent others, which would be too many.
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
