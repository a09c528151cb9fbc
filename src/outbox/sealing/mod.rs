//! Requests and answers that are encrypted before they are stored, by functions of the host's.

mod content;
mod seal;
mod store;

pub use seal::{Seal, Sealed};
pub use store::SealedStore;

pub(super) use content::{for_hook, key_of_request};
