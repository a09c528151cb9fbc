use std::fmt;

/// The beginning of a body. Its `Debug` shows sizes.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// As much of it as is kept.
    pub bytes: Vec<u8>,
    /// How much there was of it, in bytes, as far as it came.
    pub total: u64,
    /// It came to its end.
    pub is_whole: bool,
}

impl Kept {
    /// All of a body.
    #[must_use]
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { total: bytes.len() as u64, bytes, is_whole: true }
    }

    /// The beginning of a body of which so many bytes came, or that went on.
    #[must_use]
    pub fn cut(bytes: impl Into<Vec<u8>>, total: u64) -> Self {
        Self { bytes: bytes.into(), total, is_whole: false }
    }

    #[cfg(feature = "audit")]
    pub(crate) fn up_to(&self, cap: usize) -> Self {
        let bytes = self.bytes[..self.bytes.len().min(cap)].to_vec();
        Self { bytes, total: self.total, is_whole: self.is_whole }
    }

    pub(crate) fn add(&mut self, chunk: &[u8], cap: usize) {
        self.total += chunk.len() as u64;
        let room = cap.saturating_sub(self.bytes.len()).min(chunk.len());
        self.bytes.extend_from_slice(&chunk[..room]);
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("bytes", &self.bytes.len())
            .field("total", &self.total)
            .field("is_whole", &self.is_whole)
            .finish()
    }
}
