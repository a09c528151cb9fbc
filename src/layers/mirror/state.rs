use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::pattern::ownership::Ownership;
use crate::settings::Ratio;

/// The share that is copied, and the counts.
#[derive(Debug)]
pub(super) struct MirrorState {
    share: AtomicU32,
    in_flight: AtomicU32,
    mirrored: AtomicU64,
    skipped: AtomicU64,
    agreed: AtomicU64,
    disagreed: AtomicU64,
    pub(super) ownership: Ownership,
}

/// The permit of one copy, released when it is dropped.
#[derive(Debug)]
pub(super) struct CopyPermit(Arc<MirrorState>);

impl MirrorState {
    pub(super) fn new(share: Ratio) -> Self {
        Self {
            share: AtomicU32::new(share.millionths()),
            in_flight: AtomicU32::new(0),
            mirrored: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            agreed: AtomicU64::new(0),
            disagreed: AtomicU64::new(0),
            ownership: Ownership::default(),
        }
    }

    pub(super) fn share(&self) -> Ratio {
        Ratio::per_million(self.share.load(Ordering::Relaxed))
    }

    pub(super) fn set_share(&self, share: Ratio) {
        self.share.store(share.min(Ratio::ONE).millionths(), Ordering::Relaxed);
    }

    /// A permit for one more copy, while there are fewer than `limit`.
    pub(super) fn try_acquire(self: &Arc<Self>, limit: u32) -> Option<CopyPermit> {
        let one_more = |in_flight| (in_flight < limit).then_some(in_flight + 1);
        let entered =
            self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).is_ok();
        entered.then(|| CopyPermit(Arc::clone(self)))
    }

    pub(super) fn skip(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn finish(&self, agrees: Option<bool>) {
        self.mirrored.fetch_add(1, Ordering::Relaxed);
        match agrees {
            None => {}
            Some(true) => _ = self.agreed.fetch_add(1, Ordering::Relaxed),
            Some(false) => _ = self.disagreed.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(super) fn mirrored(&self) -> u64 {
        self.mirrored.load(Ordering::Relaxed)
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    pub(super) fn agreed(&self) -> u64 {
        self.agreed.load(Ordering::Relaxed)
    }

    pub(super) fn disagreed(&self) -> u64 {
        self.disagreed.load(Ordering::Relaxed)
    }
}

impl Drop for CopyPermit {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
