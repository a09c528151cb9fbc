//! Atomics and locks, which the model checker loom replaces with its own.
//!
//! With `--cfg outrigger_loom`, tests named `interleavings` try every interleaving of threads.

#[cfg(all(test, outrigger_loom))]
pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, atomic};
#[cfg(not(all(test, outrigger_loom)))]
pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, atomic};
