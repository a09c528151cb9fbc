//! Limits that adapt to the provider: the settings and two algorithms.

mod aimd;
mod gradient;
mod limit;
mod settings;

pub use settings::Adaptive;

#[cfg(feature = "serde")]
pub(crate) use settings::Algorithm;

pub(super) use limit::{AdaptiveLimit, Sample, Signal};
