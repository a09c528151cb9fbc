use std::fmt;
use std::sync::{Arc, Weak};

use super::drift::Drift;
use super::kind::Event;
use super::subscriber::{Interest, Origin, Subscriber};
use crate::context::{Context, Exchange};
use crate::rt::callback;

/// Where a layer's events go; nowhere by default.
#[derive(Clone, Default)]
pub struct Emitter(Option<Arc<Inner>>);

/// An emitter that keeps nobody listening.
#[derive(Debug)]
pub(crate) struct WeakEmitter(Weak<Inner>);

#[derive(Clone, Default)]
struct Inner {
    integration: Option<Arc<str>>,
    subscribers: Vec<Arc<dyn Subscriber>>,
    interest: Interest,
}

impl Emitter {
    /// Events go nowhere.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Events go nowhere yet, but are of this integration.
    #[must_use]
    pub fn named(integration: impl Into<Arc<str>>) -> Self {
        let integration = Some(integration.into());
        Self(Some(Arc::new(Inner { integration, ..Inner::default() })))
    }

    /// Events go to this subscriber too.
    #[must_use]
    pub fn with(self, subscriber: impl Subscriber) -> Self {
        let mut inner = self.0.map_or_else(Inner::default, Arc::unwrap_or_clone);
        inner.interest = inner.interest.and(subscriber.interest());
        inner.subscribers.push(Arc::new(subscriber));
        Self(Some(Arc::new(inner)))
    }

    /// Events go to this one too, unless it is told already.
    pub(crate) fn with_shared(self, other: Arc<dyn Subscriber>) -> Self {
        let is_same = |known: &Arc<dyn Subscriber>| {
            Arc::ptr_eq(known, &other)
                || known.identity().is_some_and(|known| other.identity() == Some(known))
        };
        if self.0.as_ref().is_some_and(|inner| inner.subscribers.iter().any(is_same)) {
            return self;
        }
        let mut inner = self.0.map_or_else(Inner::default, Arc::unwrap_or_clone);
        inner.interest = inner.interest.and(other.interest());
        inner.subscribers.push(other);
        Self(Some(Arc::new(inner)))
    }

    /// The same listeners, for what happened to another integration.
    #[cfg(feature = "outbox")]
    pub(crate) fn renamed(&self, integration: &str) -> Self {
        Self(self.0.as_deref().map(|inner| {
            let integration = Some(integration.into());
            Arc::new(Inner { integration, ..inner.clone() })
        }))
    }

    /// Whether one is a clone of the other.
    #[cfg(feature = "outbox")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn is_listened_to(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| !inner.subscribers.is_empty())
    }

    /// The same, for whoever must not keep those alive that listen; `None` where nobody does.
    pub(crate) fn downgrade(&self) -> Option<WeakEmitter> {
        let inner = self.0.as_ref().filter(|_| self.is_listened_to())?;
        Some(WeakEmitter(Arc::downgrade(inner)))
    }

    pub(crate) fn integration(&self) -> Option<&Arc<str>> {
        self.0.as_ref()?.integration.as_ref()
    }

    /// What any of the subscribers wants besides events.
    pub(crate) fn interest(&self) -> Interest {
        self.0.as_ref().map_or_else(Interest::default, |inner| inner.interest)
    }

    /// Tells everybody; builds the event only if there is anybody.
    pub(crate) fn emit(&self, context: Option<&Context>, event: impl FnOnce() -> Event) {
        self.emit_with(context, None, event);
    }

    /// The same, with what was kept of an attempt.
    pub(crate) fn emit_with(
        &self,
        context: Option<&Context>,
        exchange: Option<&Exchange>,
        event: impl FnOnce() -> Event,
    ) {
        let Some(inner) = self.listened_to() else { return };
        let event = event();
        let origin = Origin::new(inner.integration.as_deref(), context, exchange);
        inner.tell(&event, &origin);
    }

    /// Tells everybody of a change that an answer shows.
    pub(crate) fn emit_drift(&self, context: &Context, drift: &Drift) {
        let Some(inner) = self.listened_to() else { return };
        let event = Event::DriftNoticed { kind: drift.kind, at: drift.at };
        let origin = Origin::new(inner.integration.as_deref(), Some(context), None);
        inner.tell(&event, &origin.of_drift(drift));
    }

    fn listened_to(&self) -> Option<&Inner> {
        self.0.as_deref().filter(|inner| !inner.subscribers.is_empty())
    }
}

impl Inner {
    /// Calls each subscriber. If one panics, the call and the other subscribers are not affected.
    fn tell(&self, event: &Event, origin: &Origin<'_>) {
        for subscriber in &self.subscribers {
            let _ = callback::call("subscriber", || subscriber.on_event(event, origin));
        }
    }
}

impl WeakEmitter {
    /// The emitter, if it is still there.
    pub(crate) fn upgrade(&self) -> Option<Emitter> {
        self.0.upgrade().map(|inner| Emitter(Some(inner)))
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Whether it is this one.
    pub(crate) fn is_of(&self, emitter: &Emitter) -> bool {
        emitter.0.as_ref().is_some_and(|inner| std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(inner)))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("integration", &self.integration).finish_non_exhaustive()
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscribers = self.0.as_ref().map_or(0, |inner| inner.subscribers.len());
        f.debug_struct("Emitter")
            .field("integration", &self.integration())
            .field("subscribers", &subscribers)
            .finish()
    }
}
