use std::sync::Arc;

use super::state::MirrorState;
use crate::settings::Ratio;

/// Reads and sets the share that is copied, and reads the counts.
#[derive(Clone, Debug)]
pub struct MirrorHandle(Arc<MirrorState>);

impl MirrorHandle {
    pub(super) fn new(state: Arc<MirrorState>) -> Self {
        Self(state)
    }

    /// The share of the calls that is copied now.
    #[must_use]
    pub fn share(&self) -> Ratio {
        self.0.share()
    }

    /// Copies this share from now on; over 100% is all of them.
    pub fn set_share(&self, share: Ratio) {
        self.0.set_share(share);
    }

    /// Copies that have ended, whether they were answered, failed or timed out.
    #[must_use]
    pub fn mirrored(&self) -> u64 {
        self.0.mirrored()
    }

    /// Calls that were drawn and not copied, because too many copies were in flight or the body was a
    /// stream.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.0.skipped()
    }

    /// Copies that were compared and agreed with the real answer.
    #[must_use]
    pub fn agreed(&self) -> u64 {
        self.0.agreed()
    }

    /// Copies that were compared and didn't agree.
    #[must_use]
    pub fn disagreed(&self) -> u64 {
        self.0.disagreed()
    }

    /// Copies that are in flight, or wait for the real answer to be read.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.0.in_flight()
    }
}
