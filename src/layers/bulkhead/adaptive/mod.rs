//! What moves a limit: its settings, and two machines that learn from calls.

mod aimd;
mod gradient;
mod machine;
mod settings;

pub use settings::Adaptive;

#[cfg(feature = "serde")]
pub(crate) use settings::Way;

pub(super) use machine::{Machine, Sample, Signal};
