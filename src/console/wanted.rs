use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::rt::Lock;

/// Until when somebody wanted a control to be where they put it. It is a reminder: nothing moves by it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(Arc<Mutex<HashMap<(String, String), SystemTime>>>);

impl Wanted {
    pub(super) fn set(&self, integration: &str, control: &str, until: Option<SystemTime>) {
        let key = (integration.to_owned(), control.to_owned());
        let mut wanted = self.0.locked();
        match until {
            Some(until) => drop(wanted.insert(key, until)),
            None => drop(wanted.remove(&key)),
        }
    }

    pub(super) fn until(&self, integration: &str, control: &str) -> Option<SystemTime> {
        self.0.locked().get(&(integration.to_owned(), control.to_owned())).copied()
    }
}
