use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::rt::Lock;

/// Until when somebody wanted a control to be where they put it. It is a reminder: nothing moves by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(Arc<Mutex<HashMap<(String, String), Wish>>>);

/// What the last act on a control wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    /// The act's number.
    pub(super) act: u64,
    pub(super) until: Option<SystemTime>,
    /// The position to set it back to at that time, if they asked for it.
    pub(super) back: Option<String>,
}

impl Wanted {
    pub(super) fn set(&self, integration: &str, control: &str, wish: Wish) {
        self.0.locked().insert(key(integration, control), wish);
    }

    pub(super) fn last(&self, integration: &str, control: &str) -> Wish {
        self.0.locked().get(&key(integration, control)).cloned().unwrap_or_default()
    }

    pub(super) fn until(&self, integration: &str, control: &str) -> Option<SystemTime> {
        self.last(integration, control).until
    }
}

fn key(integration: &str, control: &str) -> (String, String) {
    (integration.to_owned(), control.to_owned())
}
