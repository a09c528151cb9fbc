use std::fmt;

use super::slots::Slots;
use super::{background, user_flow};

/// One of the two presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// For calls that a person waits for.
    UserFlow,
    /// For calls that no person waits for.
    Background,
}

impl Preset {
    pub(super) fn slots(self) -> Slots {
        match self {
            Self::UserFlow => user_flow::slots(),
            Self::Background => background::slots(),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserFlow => "user_flow",
            Self::Background => "background",
        })
    }
}
