//! Bodies, and the wrappers that several layers use.

mod captured;
mod discard;
mod guard;
mod replay;
mod tape;
mod whole;

pub use guard::GuardedBody;
pub use replay::ReplayBody;
pub use whole::Body;

pub(crate) use captured::Captured;
pub(crate) use discard::discard;
pub(crate) use guard::{BodyEnd, OnBodyEnd};
pub(crate) use replay::Recording;
pub(crate) use whole::IntoBytes;
