use bytes::Buf;
use http_body::Frame;

/// How much may be read of an unwanted body: a number of bytes, in a number of frames.
///
/// Empty frames count, too: a body may send them for ever.
#[derive(Debug)]
pub(crate) struct Allowance {
    bytes: usize,
    frames: usize,
}

impl Allowance {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes, frames: FRAMES }
    }

    /// Allows so many frames, if that is more.
    pub(crate) fn with_frames(self, frames: usize) -> Self {
        Self { frames: self.frames.max(frames), ..self }
    }

    /// Counts a frame. Returns whether it was within the allowance.
    pub(crate) fn take<D: Buf>(&mut self, frame: &Frame<D>) -> bool {
        let size = frame.data_ref().map_or(0, Buf::remaining);
        let fits = size <= self.bytes && self.frames > 0;
        self.bytes = self.bytes.saturating_sub(size);
        self.frames = self.frames.saturating_sub(1);
        fits
    }
}

/// Short answers have a few frames; reading so many empty ones takes less than a millisecond.
const FRAMES: usize = 4096;
