use crate::event::Emitter;
use crate::outcome::SharedClassifier;
use crate::settings::Errors;

/// The parts of an integration that each of its layers gets.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    pub(crate) emitter: Emitter,
    pub(crate) classifier: SharedClassifier,
}

/// A layer in one of the slots of an integration.
pub(crate) trait Slot: Sized {
    /// The layer with the integration's emitter and classifier. It shares its state with other
    /// integrations only if a handle was taken before, or if it was meant to be shared.
    fn adopt(self, wiring: &Wiring) -> Self;

    /// These settings, with the state of the running layer. Doing it again with the same layer
    /// changes nothing.
    fn inherit(self, _running: &Self) -> Self {
        self
    }

    /// A copy of the settings, which doesn't change when those of the running layer do.
    fn snapshot(&self) -> Self
    where
        Self: Clone,
    {
        self.clone()
    }

    /// Adds all invalid settings.
    fn check_into(&self, _mistakes: &mut Errors<'_>) {}
}
