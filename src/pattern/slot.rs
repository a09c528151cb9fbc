use crate::event::Emitter;
use crate::outcome::SharedClassifier;
use crate::settings::Mistakes;

/// What an integration gives to each of its layers.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    pub(crate) emitter: Emitter,
    pub(crate) classifier: SharedClassifier,
}

/// A layer that stands in a slot of an integration.
pub(crate) trait Slot: Sized {
    /// The layer as one integration's: its events and its classifier are the integration's, and it
    /// shares with other integrations only what somebody had a handle of, or meant to be shared.
    fn adopt(self, wiring: &Wiring) -> Self;

    /// These settings, with all that the running layer remembers and holds. To inherit from the
    /// same layer once more changes nothing.
    fn inherit(self, _running: &Self) -> Self {
        self
    }

    /// The same settings, which stay as they are while those of the running layer are changed.
    fn snapshot(&self) -> Self
    where
        Self: Clone,
    {
        self.clone()
    }

    /// Names every setting that can't work.
    fn check_into(&self, _mistakes: &mut Mistakes<'_>) {}
}
