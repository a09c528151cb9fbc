//! Sending a request again: its saved body, the budget, and whether a repetition is safe.

mod body;
pub(crate) mod budget;
mod buffer;
mod safety;

pub use body::ReplayBody;

pub(crate) use body::RecordedBody;
pub use safety::RetryOverride;

pub(crate) use safety::{
    KEY_HEADER, OnlyReads, has_honoured_key, is_idempotent, is_key, is_known_safe, is_safe,
    only_reads, own_key,
};
