//! Reads the waits that an answer asks for, and the provider's limits, from all known headers.

mod facts;
mod fields;
mod rows;
#[cfg(test)]
mod tests;
mod times;
mod told;

pub use rows::LimitHeader;

pub(crate) use facts::{LimitFact, LimitFacts, Resource};
pub(crate) use times::date;
pub(crate) use told::{Told, leave_wait, wait_left, wait_of};
