//! Bodies, and the wrappers that several layers use.

mod allowance;
mod captured;
mod caught;
mod discard;
mod guard;
mod kept;
mod length;
mod read;
mod replay;
mod tape;
mod whole;

pub use guard::GuardedBody;
pub use kept::KeptBody;
pub use replay::ReplayBody;
pub use whole::Body;

pub(crate) use allowance::Allowance;
pub(crate) use captured::Captured;
pub(crate) use caught::{BodyFate, CaughtBody};
pub(crate) use discard::discard;
pub(crate) use guard::{BodyEnd, OnBodyEnd};
pub(crate) use kept::Kept;
pub(crate) use length::{Count, checked};
pub(crate) use read::read;
pub(crate) use replay::Recording;
pub(crate) use whole::IntoBytes;
