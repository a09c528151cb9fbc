//! Bodies, and the wrappers that several layers use.

mod allowance;
mod answer;
mod captured;
mod caught;
#[cfg(feature = "hyper")]
mod guard;
mod length;
mod read;
mod upload;
mod whole;

pub use answer::Answer;
#[cfg(feature = "hyper")]
pub use guard::GuardedBody;
pub use upload::RequestBody;
pub use whole::Body;

pub use crate::replay::ReplayBody;

pub(crate) use allowance::Allowance;
pub(crate) use answer::{AnswerOf, AnswerSource, Part, StoredOf, error_about};
pub(crate) use captured::Captured;
pub(crate) use caught::{BodyFate, CaughtBody};
#[cfg(feature = "hyper")]
pub(crate) use guard::OnBodyEnd;
pub(crate) use length::{Count, check};
pub(crate) use read::read;
pub(crate) use whole::{IntoBytes, PolledFrame};

/// The size of a body that consists of `rest` bytes here and of `inner`.
pub(crate) fn size_with(rest: usize, inner: &http_body::SizeHint) -> http_body::SizeHint {
    let rest = rest as u64;
    let mut size = http_body::SizeHint::new();
    if let Some(upper) = inner.upper() {
        size.set_upper(upper.saturating_add(rest));
    }
    size.set_lower(inner.lower().saturating_add(rest));
    size
}
