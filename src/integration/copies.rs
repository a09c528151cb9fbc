//! The local copies of what the provider has, as long as they exist.

use std::sync::{Arc, Mutex, Weak};

use super::handle::Integration;
use crate::control::AnyCopy;
use crate::rt::Lock;

#[derive(Default)]
pub(super) struct Copies(Mutex<Vec<Weak<dyn AnyCopy>>>);

impl Copies {
    pub(super) fn all(&self) -> Vec<Arc<dyn AnyCopy>> {
        self.0.locked().iter().filter_map(Weak::upgrade).collect()
    }
}

impl Integration {
    /// Shows a copy in the integration's health and controls, for as long as it exists.
    pub(crate) fn attach(&self, copy: Weak<dyn AnyCopy>) {
        let mut known = self.shared.copies.0.locked();
        known.retain(|known| known.strong_count() > 0);
        known.push(copy);
    }
}
