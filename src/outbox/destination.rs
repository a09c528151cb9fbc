use std::time::Duration;

use crate::event::Emitter;
use crate::integration::{Integration, Places};

/// Where a lane's messages go.
#[derive(Clone)]
pub(super) enum Destination {
    /// Through an integration.
    Integration(Integration),
    /// Nowhere: they are only settled. Who listens here is told what happens to them.
    #[cfg(feature = "inbox")]
    Nowhere(Emitter),
}

impl Destination {
    pub(super) fn integration(&self) -> Option<&Integration> {
        match self {
            Self::Integration(integration) => Some(integration),
            #[cfg(feature = "inbox")]
            Self::Nowhere(_) => None,
        }
    }

    /// How many more messages may be under way, as far as the integration knows.
    pub(super) fn places(&self, running: usize) -> Places {
        let all = Places::Some { places: usize::MAX, interval: None };
        self.integration().map_or(all, |integration| integration.places(running))
    }

    pub(super) fn key_lifetime(&self, from_caller: bool) -> Option<Duration> {
        self.integration().and_then(|integration| integration.key_lifetime(from_caller))
    }

    pub(super) fn emitter(&self) -> &Emitter {
        match self {
            Self::Integration(integration) => integration.emitter(),
            #[cfg(feature = "inbox")]
            Self::Nowhere(emitter) => emitter,
        }
    }
}
