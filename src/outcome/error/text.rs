//! An error as text: one level, and nothing secret.

use std::fmt;

use super::{Error, ErrorKind};
use crate::terms::{Fault, Phase};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(integration) = self.integration() {
            write!(f, "{integration}: ")?;
        }
        self.0.kind.fmt(f)?;
        if let Some(limit) = self.0.limit {
            write!(f, " after {limit:?}")?;
        }
        if let Some(peer) = &self.0.peer {
            write!(f, " {} {peer}", self.0.kind.preposition())?;
        }
        if let Some(detail) = &self.0.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(phase) => write!(f, "{phase} timed out"),
            Self::Transport(fault) => fault.fmt(f),
            Self::Rejected(why) => why.fmt(f),
            Self::Invalid => f.write_str("answer failed its check"),
            Self::TooLarge => f.write_str("answer's body is too large"),
            Self::Request => f.write_str("request can't be sent"),
            Self::Status(status) => write!(f, "answered {status}"),
            Self::Other => f.write_str("inner service failed"),
        }
    }
}

impl ErrorKind {
    /// What stands between its text and the host.
    fn preposition(self) -> &'static str {
        match self {
            Self::Transport(
                Fault::Refused | Fault::Reset | Fault::Closed | Fault::NotProcessed,
            ) => "by",
            Self::Transport(Fault::Connect) | Self::Request => "to",
            Self::Transport(Fault::Dns) | Self::Rejected(_) => "for",
            Self::Timeout(Phase::ResponseHead | Phase::BodyIdle)
            | Self::Transport(Fault::Body)
            | Self::Invalid
            | Self::TooLarge => "from",
            Self::Timeout(_) | Self::Transport(_) | Self::Status(_) | Self::Other => "at",
        }
    }
}
