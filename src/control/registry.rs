use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::health::Health;
use super::lever::{Lever, LeverError};

/// All integrations of a process, for whoever watches and steers them.
///
/// Clones are of the same registry. It keeps no integration alive: one that is dropped is gone from
/// here too. Two of one name are both listed; levers are pulled on both.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<Vec<Weak<dyn Steered>>>>);

/// What a registry knows of an integration.
pub trait Steered: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// How it is.
    fn health(&self) -> Health;

    /// What can be moved.
    fn levers(self: Arc<Self>) -> Vec<Box<dyn Lever>>;
}

impl Registry {
    /// A registry that knows nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an integration known, in place of an older one that is gone.
    pub(crate) fn add(&self, steered: Weak<dyn Steered>) {
        let mut known = self.known();
        known.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&steered));
        known.push(steered);
    }

    /// The names of all integrations, in the order in which they came.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.all().iter().map(|steered| steered.name().to_owned()).collect()
    }

    /// How all integrations are.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        self.all().iter().map(|steered| steered.health()).collect()
    }

    /// How one integration is; of several of one name, the one that came first.
    #[must_use]
    pub fn health_of(&self, integration: &str) -> Option<Health> {
        self.named(integration).first().map(|steered| steered.health())
    }

    /// What can be moved of one integration, or of all that have this name.
    #[must_use]
    pub fn levers(&self, integration: &str) -> Vec<Box<dyn Lever>> {
        self.named(integration).into_iter().flat_map(Steered::levers).collect()
    }

    /// Moves a lever by name; where several integrations have this name, of all of them.
    ///
    /// # Errors
    ///
    /// When there is no such integration, lever or position, or the lever can't be moved. Of several,
    /// those that can be are moved all the same, and what is wrong is said of the first that can't.
    pub fn pull(
        &self,
        integration: &str,
        lever: &str,
        to: &str,
        who: &str,
        why: &str,
    ) -> Result<(), LeverError> {
        let named = self.named(integration);
        if named.is_empty() {
            return Err(LeverError::NoIntegration(integration.to_owned()));
        }
        let levers = named.into_iter().flat_map(Steered::levers);
        let levers: Vec<_> = levers.filter(|known| known.name() == lever).collect();
        if levers.is_empty() {
            return Err(LeverError::NoLever(lever.to_owned()));
        }
        // One that can't be moved keeps no other from being moved.
        levers.iter().map(|lever| lever.pull(to, who, why)).fold(Ok(()), Result::and)
    }

    fn named(&self, name: &str) -> Vec<Arc<dyn Steered>> {
        self.all().into_iter().filter(|steered| steered.name() == name).collect()
    }

    /// No lock is held while any of them is asked.
    fn all(&self) -> Vec<Arc<dyn Steered>> {
        self.known().iter().filter_map(Weak::upgrade).collect()
    }

    fn known(&self) -> MutexGuard<'_, Vec<Weak<dyn Steered>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clones are equal, and no two others.
impl PartialEq for Registry {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Registry {}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}
