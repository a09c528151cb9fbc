use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::error::LocalCopyError;
use super::shared::Shared;
use crate::control::LocalCopyHealth;
use crate::rt::Task;
use crate::terms::local_copy::CopyState;

/// A copy that is kept here of what a provider has. See the [module](super).
///
/// Clones are the same copy. When the last one is dropped, a load that runs is cancelled and no other begins.
pub struct LocalCopy<T>(pub(super) Arc<Owned<T>>);

/// Ends the task with the last handle.
pub(super) struct Owned<T> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) ended: watch::Receiver<u64>,
    /// Set once its name is known to be free.
    pub(super) task: OnceLock<Task>,
}

impl<T> LocalCopy<T> {
    /// The copy. It never waits.
    ///
    /// # Errors
    ///
    /// There is none yet, or it is older than [`max_age`](super::LocalCopyBuilder::max_age).
    pub fn get(&self) -> Result<Arc<T>, LocalCopyError> {
        self.0.shared.get()
    }

    /// Waits until there is a copy, of a load or of the snapshot: for the start of a service.
    ///
    /// # Errors
    ///
    /// The last load came to nothing, and there is no older copy to serve. Loads go on.
    pub async fn ready(&self) -> Result<Arc<T>, LocalCopyError> {
        let mut ended = self.0.ended.clone();
        loop {
            ended.mark_unchanged();
            match self.get() {
                Err(error) if error.failure().is_none() => self.wait_for(&mut ended).await?,
                got => return got,
            }
        }
    }

    /// Loads now, or waits for the load that runs, and returns the copy. Readers keep the old one
    /// meanwhile. If the future is dropped, the load goes on.
    ///
    /// # Errors
    ///
    /// The load came to nothing.
    pub async fn reload(&self) -> Result<Arc<T>, LocalCopyError> {
        let mut ended = self.0.ended.clone();
        let before = *ended.borrow_and_update();
        self.0.shared.ask();
        while *ended.borrow_and_update() == before {
            self.wait_for(&mut ended).await?;
        }
        match self.0.shared.problem() {
            Some(problem) => Err(LocalCopyError::load(self.0.shared.name, problem)),
            None => self.get(),
        }
    }

    /// Lets what the guard refused last take the place of the copy, and begins a load; false if the guard
    /// didn't refuse the last one.
    ///
    /// Only that passes: a load with the same number of entries and, where the provider gives one, the same
    /// `ETag`, that ends within ten minutes. Another one is put before the guard, and if it is refused, nothing
    /// is accepted any more: look at it, and accept it by itself.
    ///
    /// The same as the control's position `accept`: who and why are shown there until a load succeeds or the
    /// acceptance has ended.
    pub fn accept(&self, who: &str, why: &str) -> bool {
        self.0.shared.accept(who, why)
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> CopyState {
        self.0.shared.state()
    }

    /// How old the copy is: the time since the begin of the last load that succeeded, by the monotonic clock
    /// or the wall clock, whichever says more. `None` if there is no copy yet.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        Some(self.0.shared.seen()?.age)
    }

    /// When the last load that succeeded began, also if it was in an earlier process.
    #[must_use]
    pub fn last_success(&self) -> Option<SystemTime> {
        Some(self.0.shared.seen()?.loaded)
    }

    /// Its health, as in that of the integration.
    #[must_use]
    pub fn health(&self) -> LocalCopyHealth {
        self.0.shared.health()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.shared.name
    }

    async fn wait_for(&self, ended: &mut watch::Receiver<u64>) -> Result<(), LocalCopyError> {
        // The sender belongs to the task.
        ended.changed().await.map_err(|_| LocalCopyError::ended(self.name()))
    }
}

impl<T> Clone for LocalCopy<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Shows nothing of the copy's value.
impl<T> fmt::Debug for LocalCopy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCopy")
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
