//! A store in memory, for tests: what it holds ends with the process.

mod ops;
mod people;
mod store;

pub use store::{MemoryHook, MemoryStore};
