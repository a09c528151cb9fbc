use super::check::{Answered, Check};
use super::finding::Finding;
use super::prefix::Prefix;
use crate::terms::Unchecked;

/// Whether an answer's body has at least and at most so many bytes.
///
/// A size that is announced is believed, also where the body isn't read. A body without an announced
/// size that goes on after the layer's cap is unchecked, unless the most is under the cap.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    least: u64,
    most: u64,
}

impl Size {
    /// At least so many bytes: an answer cut short by a proxy, or an empty one.
    #[must_use]
    pub const fn at_least(least: u64) -> Self {
        Self { least, most: u64::MAX }
    }

    /// At most so many bytes.
    #[must_use]
    pub const fn at_most(most: u64) -> Self {
        Self { least: 0, most }
    }

    /// And at most so many.
    #[must_use]
    pub const fn and_at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }
}

impl Check for Size {
    fn name(&self) -> &'static str {
        "size"
    }

    fn check(&self, _: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        let size = body.size();
        match body.whole() {
            // The size that is announced is that of the coding.
            Err(unchecked) if unchecked.unchecked == Some(Unchecked::Encoded) => return unchecked,
            _ => {}
        }
        if size.lower() > self.most {
            return Finding::invalid(format!("the body is over {} bytes", self.most));
        }
        if size.upper().is_some_and(|upper| upper < self.least) {
            return Finding::invalid(format!("the body is under {} bytes", self.least));
        }
        let is_known =
            size.lower() >= self.least && size.upper().is_some_and(|upper| upper <= self.most);
        match body.whole() {
            Err(unchecked) if !is_known => unchecked,
            _ => Finding::pass(),
        }
    }
}
