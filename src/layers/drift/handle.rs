use std::sync::Arc;

#[cfg(feature = "json")]
use super::shapes::Shapes;
use super::shared::Shared;
use super::state::Now;
use crate::event::Drift;
use crate::rt::{self, Clock, Lock};

/// Reads what was noticed. Clones are of the same layer.
#[derive(Clone, Debug)]
pub struct DriftHandle {
    shared: Arc<Shared>,
    clock: Clock,
}

impl DriftHandle {
    pub(super) fn new(shared: Arc<Shared>, clock: Clock) -> Self {
        Self { shared, clock }
    }

    /// What answers of the last 35 days showed, 1,000 endpoints and kinds at most: dates first, the
    /// earliest first.
    #[must_use]
    pub fn drifts(&self) -> Vec<Drift> {
        let now = Now { at: rt::now(), wall: self.clock.wall() };
        self.shared.state.locked().drifts(now)
    }

    /// Forgets what was noticed, because it has been dealt with. What answers still show is told anew.
    ///
    /// Shapes that were learned stay.
    pub fn forget(&self) {
        self.shared.state.locked().forget();
    }

    /// The shapes that were learned, those that are still being learned included.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn export(&self) -> Shapes {
        self.shared.learned.locked().export()
    }

    /// Compares answers with these shapes from now on, in place of what was learned of the same
    /// endpoints.
    #[cfg(feature = "json")]
    pub fn import(&self, shapes: &Shapes) {
        self.shared.learned.locked().import(shapes, rt::now());
    }
}
