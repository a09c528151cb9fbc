//! Answers from what is stored.

mod around;
mod asked;
mod body;
mod config;
mod fill;
mod flight;
mod given;
mod handle;
mod invalidation;
mod key;
mod layer;
#[cfg(feature = "cache")]
mod memory;
mod origin;
#[cfg(feature = "serde")]
mod settings;
mod shared;
mod state;
mod store;
mod stored;

pub use around::CachePattern;
pub use config::CacheWindows;
pub use handle::CacheHandle;
pub use key::{CacheKey, CachePartition, CachePolicy};
pub use layer::{Cache, CacheLayer};
#[cfg(feature = "cache")]
pub use memory::InMemoryStore;
pub use store::CacheStore;
pub use stored::CacheEntry;

pub use crate::terms::CacheOutcome;

pub(crate) use origin::{Fetched, Origin};
#[cfg(feature = "serde")]
pub(crate) use settings::CacheSettings;
