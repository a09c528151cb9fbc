use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use super::controls::{Control, ControlError};
use super::fleet::AnyFleet;
use super::health::{Health, LaneHealth};
use crate::event::Subscriber;
use crate::rt::Lock;
#[cfg(feature = "fleet")]
use crate::settings::{ConfigError, ValidationError};

/// All integrations of a process, to observe and control them.
///
/// Clones share the registry. It keeps no integration alive: an integration that is dropped
/// disappears from it. Two integrations with one name are both listed, and controls are set on
/// both.
#[derive(Clone, Default)]
pub struct Registry(Arc<Inner>);

#[derive(Default)]
struct Inner {
    known: Mutex<Vec<Weak<dyn Controllable>>>,
    lanes: Mutex<Vec<Weak<dyn Lanes>>>,
    fleet: Mutex<Option<Weak<dyn AnyFleet>>>,
    subscribers: Mutex<Vec<Arc<dyn Subscriber>>>,
}

/// An outbox, as a registry sees it.
pub(crate) trait Lanes: Send + Sync {
    /// Its lanes, as they were counted last.
    fn lanes(&self) -> Vec<LaneHealth>;
}

/// A registry that it doesn't keep.
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
#[derive(Clone, Debug)]
pub(crate) struct WeakRegistry(Weak<Inner>);

/// An integration, as a registry sees it.
pub trait Controllable: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// Its health.
    fn health(&self) -> Health;

    /// Its controls.
    fn controls(self: Arc<Self>) -> Vec<Box<dyn Control>>;

    /// The same, for whoever knows what it is.
    #[cfg(feature = "fleet")]
    #[doc(hidden)]
    fn into_any(self: Arc<Self>) -> Arc<dyn std::any::Any + Send + Sync>;

    /// Whether these settings could be applied, as a file would give them.
    #[cfg(feature = "fleet")]
    #[doc(hidden)]
    fn check_table(self: Arc<Self>, table: &serde_json::Value) -> Result<(), ConfigError>;

    /// Applies settings. What can't be read of them is left out, and returned.
    #[cfg(feature = "fleet")]
    #[doc(hidden)]
    fn apply_table(
        self: Arc<Self>,
        table: &serde_json::Value,
    ) -> Result<Vec<ValidationError>, ConfigError>;

    /// All settings as they are.
    #[cfg(feature = "fleet")]
    #[doc(hidden)]
    fn present_table(self: Arc<Self>) -> serde_json::Value;
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Is told of every event of the integrations that are
    /// [built](crate::IntegrationBuilder::register) with this registry from now on, as if it had been
    /// given to each. One that an integration has anyway (by a clone of an `Arc`, of `Metrics` or of an
    /// `Audit`) is told once.
    ///
    /// ```
    /// use outrigger::testing::EventRecorder; // needs the feature `test-util`
    /// use outrigger::{Integration, control::Registry};
    ///
    /// # fn main() -> Result<(), outrigger::ConfigError> {
    /// let registry = Registry::new().subscriber(EventRecorder::new());
    /// let crm = Integration::user_flow("crm").register(&registry).build()?;
    /// # let _ = crm;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn subscriber(self, subscriber: impl Subscriber) -> Self {
        self.0.subscribers.locked().push(Arc::new(subscriber));
        self
    }

    /// Those that are told of an integration that is built now.
    pub(crate) fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        self.0.subscribers.locked().clone()
    }

    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn downgrade(&self) -> WeakRegistry {
        WeakRegistry(Arc::downgrade(&self.0))
    }

    /// Adds an integration, and removes those that were dropped.
    pub(crate) fn add(&self, controllable: Weak<dyn Controllable>) {
        {
            let mut known = self.0.known.locked();
            known.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&controllable));
            known.push(controllable.clone());
        }
        if let (Some(fleet), Some(newcomer)) = (self.fleet(), controllable.upgrade()) {
            fleet.obey(newcomer);
        }
    }

    /// Has a fleet for all its integrations, in the place of an earlier one.
    #[cfg(feature = "fleet")]
    pub(crate) fn obey(&self, fleet: Weak<dyn AnyFleet>) {
        *self.0.fleet.locked() = Some(fleet);
    }

    /// The fleet that its integrations obey, if there is one.
    pub(crate) fn fleet(&self) -> Option<Arc<dyn AnyFleet>> {
        self.0.fleet.locked().as_ref()?.upgrade()
    }

    /// Adds an outbox, and removes those that were dropped.
    #[cfg(feature = "outbox")]
    pub(crate) fn add_lanes(&self, lanes: Weak<dyn Lanes>) {
        let mut known = self.0.lanes.locked();
        known.retain(|known| known.strong_count() > 0);
        known.push(lanes);
    }

    /// The lanes of all outboxes that were built with this registry and run, as they were counted last.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneHealth> {
        let known: Vec<_> = self.0.lanes.locked().iter().filter_map(Weak::upgrade).collect();
        known.iter().flat_map(|outbox| outbox.lanes()).collect()
    }

    /// The names of all integrations, in the order of their registration.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.all().iter().map(|controllable| controllable.name().to_owned()).collect()
    }

    /// The health of all integrations.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        let others = Others::of(self);
        self.all().iter().map(|controllable| others.added_to(controllable.health())).collect()
    }

    /// The health of one integration. If several have this name, the one that was registered first.
    #[must_use]
    pub fn health_of(&self, integration: &str) -> Option<Health> {
        let named = self.named(integration);
        named.first().map(|controllable| Others::of(self).added_to(controllable.health()))
    }

    /// The controls of one integration, or of all that have this name.
    #[must_use]
    pub fn controls(&self, integration: &str) -> Vec<Box<dyn Control>> {
        self.named(integration).into_iter().flat_map(Controllable::controls).collect()
    }

    /// Sets a control by name, on all integrations that have this name.
    ///
    /// # Errors
    ///
    /// If there is no such integration, control or position, or the control can't be set. If
    /// several integrations have this name, all that can be set are set, and the first error is
    /// returned.
    pub fn set(
        &self,
        integration: &str,
        control: &str,
        to: &str,
        who: &str,
        why: &str,
    ) -> Result<(), ControlError> {
        let named = self.named(integration);
        if named.is_empty() {
            return Err(ControlError::NoIntegration(integration.to_owned()));
        }
        let controls = named.into_iter().flat_map(Controllable::controls);
        let controls: Vec<_> = controls.filter(|known| known.name() == control).collect();
        if controls.is_empty() {
            return Err(ControlError::NoControl(control.to_owned()));
        }
        // Set all of them, even if one fails.
        controls.iter().map(|control| control.set(to, who, why)).fold(Ok(()), Result::and)
    }

    pub(crate) fn named(&self, name: &str) -> Vec<Arc<dyn Controllable>> {
        self.all().into_iter().filter(|controllable| controllable.name() == name).collect()
    }

    /// Holds no lock while the integrations are asked.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Controllable>> {
        self.0.known.locked().iter().filter_map(Weak::upgrade).collect()
    }
}

/// What others know of integrations.
struct Others {
    lanes: Vec<LaneHealth>,
    fleet: Option<Arc<dyn AnyFleet>>,
}

impl Others {
    fn of(registry: &Registry) -> Self {
        Self { lanes: registry.lanes(), fleet: registry.fleet() }
    }

    fn added_to(&self, mut health: Health) -> Health {
        let is_own = |lane: &&LaneHealth| lane.integration.as_ref() == Some(&health.integration);
        health.lanes = self.lanes.iter().filter(is_own).cloned().collect();
        health.fleet = self.fleet.as_ref().map(|fleet| fleet.health(&health.integration));
        health
    }
}

#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
impl WeakRegistry {
    /// Whether it is this one.
    pub(crate) fn is_of(&self, registry: &Registry) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&registry.0))
    }
}

/// Equal only if one is a clone of the other.
impl PartialEq for Registry {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Registry {}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}
