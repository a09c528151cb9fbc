use std::fmt;

/// How many calls there is room for further in; from one moment to the next, it may be another number.
///
/// For a queue that lets no more calls through than whoever is further in has places.
pub(crate) trait Room: Send + Sync + fmt::Debug {
    /// `None` without a bound.
    fn places(&self) -> Option<u32>;
}
