use std::fmt;

/// How many calls an inner layer can take. The number may change at any time.
///
/// A queue further out lets no more calls through than this.
pub(crate) trait Capacity: Send + Sync + fmt::Debug {
    /// `None` without a bound.
    fn limit(&self) -> Option<u32>;
}
