use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks that stay usable after a panic: nothing in this crate is left half changed under one.
pub(crate) trait Lock<T> {
    /// Waits for the lock.
    fn locked(&self) -> MutexGuard<'_, T>;
}

impl<T> Lock<T> for Mutex<T> {
    fn locked(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
