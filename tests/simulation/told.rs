//! What an integration tells of itself while a world runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use outrigger::context::{Context, CorrelationId};
use outrigger::event::{Event, Origin, Subscriber};

use crate::clock;

/// An event, and when and of which call it was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) at: Instant,
    /// The number of the call; absent where the event is of no one call.
    pub(crate) call: Option<usize>,
    /// The call's deadline at that time.
    pub(crate) deadline: Option<Instant>,
    pub(crate) event: Event,
}

/// Keeps what it's told until somebody takes it.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Mutex<Vec<Told>>>);

impl Listener {
    /// All that was told since this was asked before.
    pub(crate) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Subscriber for Listener {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let (at, event, context) = (clock::now(), *event, origin.context());
        let call = context.and_then(Context::correlation_id).and_then(number);
        let deadline = context.and_then(Context::deadline);
        let told = Told { at, call, deadline, event };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }
}

/// The id of a call with this number.
pub(crate) fn id(call: usize) -> CorrelationId {
    CorrelationId::new(format!("call-{call}")).expect("an id")
}

/// The number of the call with this id.
fn number(id: &CorrelationId) -> Option<usize> {
    id.as_str().strip_prefix("call-")?.parse().ok()
}
