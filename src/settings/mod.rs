//! Reads and checks tables of settings. The tables themselves are defined beside what they
//! configure.

mod errors;
mod ratio;
#[cfg(feature = "serde")]
pub(crate) mod raw;
#[cfg(feature = "serde")]
pub(crate) mod read;
#[cfg(feature = "serde")]
pub(crate) mod section;
#[cfg(feature = "serde")]
pub(crate) mod values;

pub use errors::{ConfigError, ValidationError};
pub use ratio::Ratio;

pub(crate) use errors::{Errors, validate};
