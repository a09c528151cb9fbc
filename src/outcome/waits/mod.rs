//! What an answer asks its callers to wait, and what it tells of the provider's limits, whatever words
//! it uses.

mod facts;
mod fields;
mod rows;
#[cfg(test)]
mod tests;
mod times;
mod told;

pub use rows::LimitHeader;

pub(crate) use facts::{LimitFact, LimitFacts, Resource};
pub(crate) use told::{Told, leave_wait, wait_of};
