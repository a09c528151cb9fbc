use std::fmt;
use std::sync::{Arc, Mutex};

#[cfg(feature = "json")]
use super::shapes::Learned;
use super::state::State;
use crate::pattern::ownership::Ownership;
use crate::rt::Lock;

/// What the layer's clones and handles share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    #[cfg(feature = "json")]
    pub(super) learned: Mutex<Learned>,
    pub(super) ownership: Ownership,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &*self.state.locked()).finish_non_exhaustive()
    }
}
