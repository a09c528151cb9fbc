use std::sync::Arc;

use super::kind::Event;
use crate::context::Context;
use crate::context::Exchange;

/// Is told of every event.
///
/// One that panics harms neither the call nor other subscribers; it is told of the next event all the
/// same.
pub trait Subscriber: Send + Sync + 'static {
    /// Takes note of one event, at once and without blocking.
    fn on_event(&self, event: &Event, origin: &Origin<'_>);

    /// What it wants to see besides events; asked once, when it is added.
    fn interest(&self) -> Interest {
        Interest::events()
    }
}

/// What a subscriber wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    exchange: Option<usize>,
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    integration: Option<&'a str>,
    context: Option<&'a Context>,
    exchange: Option<&'a Exchange>,
}

impl<'a> Origin<'a> {
    pub(crate) fn new(integration: Option<&'a str>, context: Option<&'a Context>) -> Self {
        Self { integration, context, exchange: None }
    }

    pub(crate) fn with_exchange(mut self, exchange: Option<&'a Exchange>) -> Self {
        self.exchange = exchange;
        self
    }

    /// The integration.
    #[must_use]
    pub fn integration(&self) -> Option<&'a str> {
        self.integration.or_else(|| self.context?.integration())
    }

    /// The heads and bodies of an attempt that is over, where a subscriber wanted them.
    #[must_use]
    pub fn exchange(&self) -> Option<&'a Exchange> {
        self.exchange
    }

    /// The call; absent where the event is of no one call.
    #[must_use]
    pub fn context(&self) -> Option<&'a Context> {
        self.context
    }
}

// === impl Interest ===

impl Interest {
    /// Events, and nothing else.
    #[must_use]
    pub fn events() -> Self {
        Self::default()
    }

    /// With the end of each attempt, also its heads and so many bytes of each of its bodies.
    #[must_use]
    pub fn exchanges(body_cap: usize) -> Self {
        Self { exchange: Some(body_cap) }
    }

    /// What either wants.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { exchange: self.exchange.max(other.exchange) }
    }

    pub(crate) fn body_cap(self) -> Option<usize> {
        self.exchange
    }
}

impl<S: Subscriber + ?Sized> Subscriber for Arc<S> {
    fn interest(&self) -> Interest {
        (**self).interest()
    }

    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        (**self).on_event(event, origin);
    }
}
