//! What the fleet says.

use std::sync::Arc;

use serde_json::Value;

use crate::outbox::Timestamp;

/// All that the fleet says, as it was at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// The number of the last change.
    pub(super) revision: u64,
    pub(super) all: Vec<Arc<Word>>,
}

/// One control's position, or one integration's settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) integration: String,
    pub(super) says: Says,
    pub(super) who: String,
    pub(super) why: String,
    /// Until when it is wanted.
    pub(super) until: Option<Timestamp>,
    /// The number of the change that said it.
    pub(super) revision: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Says {
    Control { name: String, position: String },
    Settings(Value),
}

impl Word {
    /// A control's name, or `settings`. No control is called so.
    pub(super) fn of(&self) -> &str {
        match &self.says {
            Says::Control { name, .. } => name,
            Says::Settings(_) => SETTINGS,
        }
    }
}

pub(super) const SETTINGS: &str = "settings";
