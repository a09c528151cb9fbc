use std::sync::Arc;

use super::drift::Drift;
use super::kind::Event;
use crate::context::{Context, Exchange};

/// Receives every event.
///
/// If it panics, neither the call nor other subscribers are affected, and it receives the next
/// event.
pub trait Subscriber: Send + Sync + 'static {
    /// Handles one event. It must be quick and must not block.
    fn on_event(&self, event: &Event, origin: &Origin<'_>);

    /// What it receives besides events. This is called once, when it is added.
    fn interest(&self) -> Interest {
        Interest::events()
    }

    /// By what clones of it are known to be one, so that it is told once where it was given twice.
    #[doc(hidden)]
    fn identity(&self) -> Option<usize> {
        None
    }
}

/// What a subscriber wants to receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    exchange: Option<usize>,
}

/// The source of an event.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    integration: Option<&'a str>,
    context: Option<&'a Context>,
    exchange: Option<&'a Exchange>,
    drift: Option<&'a Drift>,
}

impl<'a> Origin<'a> {
    pub(crate) fn new(
        integration: Option<&'a str>,
        context: Option<&'a Context>,
        exchange: Option<&'a Exchange>,
    ) -> Self {
        Self { integration, context, exchange, drift: None }
    }

    pub(crate) fn of_drift(self, drift: &'a Drift) -> Self {
        Self { drift: Some(drift), ..self }
    }

    /// The integration.
    #[must_use]
    pub fn integration(&self) -> Option<&'a str> {
        self.integration.or_else(|| self.context?.integration())
    }

    /// The heads and bodies of a finished attempt, if a subscriber asked for them.
    #[must_use]
    pub fn exchange(&self) -> Option<&'a Exchange> {
        self.exchange
    }

    /// What is known of the change that an answer shows, if the event is
    /// [`DriftNoticed`](Event::DriftNoticed).
    #[must_use]
    pub fn drift(&self) -> Option<&'a Drift> {
        self.drift
    }

    /// The call; absent if the event doesn't belong to a single call.
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

    /// Events, and with the end of each attempt its heads and at most `body_cap` bytes of each
    /// body.
    #[must_use]
    pub fn exchanges(body_cap: usize) -> Self {
        Self { exchange: Some(body_cap) }
    }

    /// What either of the two wants.
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

    fn identity(&self) -> Option<usize> {
        (**self).identity().or_else(|| Some(Self::as_ptr(self).addr()))
    }
}
