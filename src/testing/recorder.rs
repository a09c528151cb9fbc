use std::sync::{Arc, Mutex};

use crate::event::{Event, Origin, Subscriber};
use crate::rt::Lock;

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
        self.0.locked().clone()
    }

    /// How many of the events are of a kind.
    pub fn count(&self, of: impl Fn(&Event) -> bool) -> usize {
        self.0.locked().iter().filter(|event| of(event)).count()
    }
}

impl Subscriber for EventRecorder {
    fn identity(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.0).addr())
    }

    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        self.0.locked().push(*event);
    }
}
