use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::terms::InjectedFault;

/// What one call gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Injection {
    pub(super) latency: Option<Duration>,
    pub(super) slow_body: Option<Duration>,
    pub(super) ending: Option<Ending>,
}

/// How a call ends without the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Status(StatusCode),
    Hang,
    Reset,
    Answer { body: Bytes, content_type: HeaderValue },
}

/// In a response's extensions: it was injected, and is not the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected {
    pub(super) fault: InjectedFault,
}

impl Injection {
    pub(super) fn is_nothing(&self) -> bool {
        self.latency.is_none() && self.slow_body.is_none() && self.ending.is_none()
    }
}

impl Ending {
    pub(super) fn fault(&self) -> InjectedFault {
        match self {
            Self::Status(status) => InjectedFault::Status(*status),
            Self::Hang => InjectedFault::Hang,
            Self::Reset => InjectedFault::Reset,
            Self::Answer { .. } => InjectedFault::Answer,
        }
    }
}

impl Injected {
    /// What was injected.
    #[must_use]
    pub fn fault(self) -> InjectedFault {
        self.fault
    }
}
