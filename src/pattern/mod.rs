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
pub(crate) use driver::{Begin, start};
pub(crate) use either::{Either, either};
pub use held::Held;
pub(crate) use held::ReadOff;
pub(crate) use layer::pattern_layer;
pub use layer::{PatternLayer, ToPattern, layer};
pub use layered::Layered;
pub(crate) use layered::send;
pub(crate) use room::Rooms;
pub use wire::{AsIs, LayerWire, Measured, Own, Replaying, Wire};

pub(crate) use wire::{Form, Nothing, Saved, sealed};
