//! What it takes to send a request again: what is kept of it, how often, and whether it may be.

mod body;
pub(crate) mod budget;
mod buffer;
mod safety;

pub use body::ReplayBody;

pub(crate) use body::Recording;
pub use safety::Steer;

pub(crate) use safety::{KEY_HEADER, has_honoured_key, is_idempotent, is_key, is_safe, own_key};
