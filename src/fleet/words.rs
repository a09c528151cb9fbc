//! What the fleet says.

use std::sync::Arc;

use serde_json::Value;

use crate::control::FleetWord;
use crate::outbox::Timestamp;

/// All that the fleet says, as it was at one moment.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// The number of the last change.
    pub(super) revision: u64,
    /// When they were read, by the database's clock.
    pub(super) read: Timestamp,
    pub(super) all: Vec<Arc<Word>>,
}

/// One control's position, or one integration's settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) integration: String,
    pub(super) says: Says,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) since: Timestamp,
    /// Until when it is wanted, and the position that it is then set back to.
    pub(super) until: Option<Timestamp>,
    pub(super) back: Option<String>,
    /// The number of the change that said it.
    pub(super) revision: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Says {
    Control {
        name: String,
        position: String,
    },
    Settings(Value),
    /// Settings that aren't JSON: somebody has written them by hand.
    Unreadable,
}

impl Word {
    /// For people.
    pub(super) fn shown(&self) -> FleetWord {
        FleetWord {
            integration: self.integration.clone(),
            of: self.of().to_owned(),
            says: match &self.says {
                Says::Control { position, .. } => position.clone(),
                Says::Settings(table) => table.to_string(),
                Says::Unreadable => "what can't be read".to_owned(),
            },
            who: self.who.clone(),
            why: self.why.clone(),
            since: self.since.into(),
            until: self.until.map(Into::into),
            back: self.back.clone(),
            revision: self.revision,
        }
    }

    /// A control's name, or `settings`, for people.
    pub(super) fn of(&self) -> &str {
        self.control().unwrap_or(SETTINGS)
    }

    /// The control's name; nothing if it is about settings.
    pub(super) fn control(&self) -> Option<&str> {
        match &self.says {
            Says::Control { name, .. } => Some(name),
            Says::Settings(_) | Says::Unreadable => None,
        }
    }
}

/// No control may be called so.
pub(super) const SETTINGS: &str = "settings";
