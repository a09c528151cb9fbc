use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::{Event, Origin, Subscriber};

/// Records every event.
#[derive(Clone, Debug, Default)]
pub struct EventRecorder(Arc<Mutex<Vec<Event>>>);

impl EventRecorder {
    /// An empty recorder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All events so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.kept().clone()
    }

    /// How many of the events are of a kind.
    pub fn count(&self, of: impl Fn(&Event) -> bool) -> usize {
        self.kept().iter().filter(|event| of(event)).count()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for EventRecorder {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        self.kept().push(*event);
    }
}
