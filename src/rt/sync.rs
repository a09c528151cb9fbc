//! Atomics and locks that a model checker can put its own in place of.
//!
//! With `--cfg outrigger_loom`, tests named `interleavings` try every order in which threads can meet.

#[cfg(all(test, outrigger_loom))]
pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, atomic};
#[cfg(not(all(test, outrigger_loom)))]
pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, atomic};
