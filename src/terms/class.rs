use std::fmt;

use super::fault::Fault;
use super::phase::Phase;
use super::rejection::Rejection;

/// The meaning of a result, by which layers decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The provider did what was asked.
    Success,
    /// The provider did a part of what was asked.
    Partial,
    /// The request is wrong: it must be corrected, and a retry is useless. A redirect that the
    /// client didn't follow is of this class, too: the request belongs to another URL.
    ClientError,
    /// The provider asks for fewer or later requests.
    Throttled,
    /// The provider failed.
    ServerError,
    /// The credentials were refused.
    Unauthorized,
    /// A success that failed a check.
    Invalid,
    /// A time limit passed.
    Timeout(Phase),
    /// The connection could not be made, or broke.
    Transport(Fault),
    /// A layer here refused. Nothing was sent.
    Rejected(Rejection),
    /// The request could not be sent as it is.
    Request,
    /// The inner service failed in a way of its own.
    Other,
}

impl Class {
    /// The word for it, the same in spans, metrics and records. It is as exact as possible, for
    /// example `connection_reset`. If no word fits, it is `_OTHER`, as in OpenTelemetry's
    /// `error.type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::ClientError => "client_error",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Unauthorized => "unauthorized",
            Self::Invalid => "invalid_answer",
            Self::Timeout(phase) => phase.name(),
            Self::Transport(fault) => fault.name(),
            Self::Rejected(why) => why.name(),
            Self::Request => "unsendable_request",
            Self::Other => "_OTHER",
        }
    }

    /// Whether the provider did what was asked, or a part of it.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::Partial)
    }

    /// Whether it speaks against the provider's health.
    ///
    /// Errors of ours (4xx, redirects that nobody followed), throttling, local rejections and a full pool don't, nor does a peer that ends a
    /// connection in an orderly way: servers do so after every so many requests.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::ServerError | Self::Invalid | Self::Other => true,
            Self::Timeout(phase) => !matches!(phase, Phase::Acquire),
            Self::Transport(_) => !self.is_moved(),
            _ => false,
        }
    }

    /// Whether it says nothing about the provider's health, good or bad.
    pub(crate) const fn says_nothing(self) -> bool {
        self.is_local() || matches!(self, Self::Timeout(Phase::Acquire))
    }

    /// Whether the provider answered properly, even if only to say that the request is wrong.
    pub(crate) const fn is_verdict(self) -> bool {
        self.is_success() || matches!(self, Self::ClientError | Self::Unauthorized)
    }

    /// Whether only the connection is gone, so that a new connection is enough.
    pub(crate) const fn is_moved(self) -> bool {
        matches!(self, Self::Transport(Fault::NotProcessed | Fault::GoneAway))
    }

    /// Whether it says nothing about the provider, because nothing reached the provider.
    #[must_use]
    pub const fn is_local(self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Request)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("success"),
            Self::Partial => f.write_str("partial success"),
            Self::ClientError => f.write_str("client error"),
            Self::Throttled => f.write_str("throttled"),
            Self::ServerError => f.write_str("server error"),
            Self::Unauthorized => f.write_str("unauthorized"),
            Self::Invalid => f.write_str("invalid answer"),
            Self::Timeout(phase) => write!(f, "{phase} timeout"),
            Self::Transport(fault) => fault.fmt(f),
            Self::Rejected(why) => why.fmt(f),
            Self::Request => f.write_str("unsendable request"),
            Self::Other => f.write_str("inner failure"),
        }
    }
}
