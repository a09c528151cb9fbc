//! Patterns: straight-line code around a call.

mod around;
mod attempt;
mod call;
mod driver;
mod held;
mod layered;
mod saved;
mod wire;

pub use around::{Around, Flow, Next, Pattern};
pub use attempt::Attempt;
pub use call::{Call, Until};
pub use driver::{Answer, Running};
pub use held::Held;
pub use layered::Layered;
pub use wire::{AsIs, LayerWire, Replaying, Wire};
