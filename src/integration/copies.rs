//! The local copies of what the provider has, as long as they exist.

use std::sync::{Arc, Mutex, Weak};

use super::controls;
use super::handle::Integration;
use crate::control::AnyCopy;
use crate::rt::Lock;
use crate::settings::{ConfigError, ValidationError};

#[derive(Default)]
pub(super) struct Copies(Mutex<Vec<Weak<dyn AnyCopy>>>);

impl Copies {
    pub(super) fn all(&self) -> Vec<Arc<dyn AnyCopy>> {
        self.0.locked().iter().filter_map(Weak::upgrade).collect()
    }

    /// Adds a copy; false if one that exists has its name.
    fn add(&self, copy: &Arc<dyn AnyCopy>) -> bool {
        let mut known = self.0.locked();
        known.retain(|known| known.strong_count() > 0);
        // Kept until the lock is released: the end of the last handle runs the host's code.
        let present: Vec<_> = known.iter().filter_map(Weak::upgrade).collect();
        let is_free = present.iter().all(|present| present.name() != copy.name());
        if is_free {
            known.push(Arc::downgrade(copy));
        }
        drop(known);
        is_free
    }
}

impl Integration {
    /// Shows a copy in the integration's health and controls, for as long as it exists.
    ///
    /// # Errors
    ///
    /// Another copy or control has its name.
    pub(crate) fn attach(&self, copy: Arc<dyn AnyCopy>) -> Result<(), ConfigError> {
        let name = copy.name();
        let mistake = if controls::NAMES.contains(&name) || name == "settings" {
            format!("a control or the settings have the name {name:?}: give the copy another one")
        } else if !self.shared.copies.add(&copy) {
            format!(
                "the integration's local copy {name:?} has this name, and one of its handles still exists: \
                 use a clone of it, drop it before, or give this copy another name"
            )
        } else {
            return Ok(());
        };
        let mistake = ValidationError::new("local_copy.name", mistake);
        Err(ConfigError::of(Some(self.name()), mistake))
    }
}
