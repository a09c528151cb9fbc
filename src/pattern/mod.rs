//! Patterns: straight-line code around a call.

mod around;
mod attempt;
mod call;
pub(crate) mod capacity;
mod driver;
mod either;
mod held;
pub(crate) mod keyed;
mod layer;
mod layered;
pub(crate) mod ownership;
pub(crate) mod ready;
mod room;
mod saved;
mod unread;
mod wire;

pub use around::{Around, Flow, Next, Pattern};
pub use attempt::Attempt;
pub use call::{Call, Until};
pub use driver::{Answer, Running};
pub(crate) use either::{Either, either};
pub use held::Held;
pub(crate) use held::ReadOff;
pub use layer::{PatternLayer, layer};
pub use layered::Layered;
pub use wire::{AsIs, LayerWire, Measured, Own, Replaying, Wire};

pub(crate) use wire::{Form, Nothing};
