use std::sync::Arc;

use super::kind::Event;
use crate::context::Context;

/// Is told of every event.
pub trait Subscriber: Send + Sync + 'static {
    /// Takes note of one event, at once and without blocking.
    fn on_event(&self, event: &Event, origin: &Origin<'_>);
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    integration: Option<&'a str>,
    context: Option<&'a Context>,
}

impl<'a> Origin<'a> {
    pub(crate) fn new(integration: Option<&'a str>, context: Option<&'a Context>) -> Self {
        Self { integration, context }
    }

    /// The integration.
    #[must_use]
    pub fn integration(&self) -> Option<&'a str> {
        self.integration.or_else(|| self.context?.integration())
    }

    /// The call; absent where the event is of no one call.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        self.context
    }
}

impl<S: Subscriber + ?Sized> Subscriber for Arc<S> {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        (**self).on_event(event, origin);
    }
}
