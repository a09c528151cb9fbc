//! Patterns: straight-line code around a call.

mod around;
mod attempt;
mod call;
pub(crate) mod capacity;
mod driver;
mod held;
pub(crate) mod keyed;
mod layered;
pub(crate) mod ownership;
pub(crate) mod ready;
mod saved;
mod wire;

pub use around::{Around, Flow, Next, Pattern};
pub use attempt::Attempt;
pub use call::{Call, Until};
pub use driver::{Answer, Running};
pub use held::Held;
pub use layered::Layered;
pub use wire::{AsIs, LayerWire, Measured, Own, Replaying, Wire};
