use std::time::{Duration, Instant};

use crate::rt::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Attempts that failed one after the other, kept in atomics.
#[derive(Debug)]
pub(super) struct Row {
    epoch: Instant,
    length: AtomicU32,
    /// One that the peer refused was let pass since something last succeeded.
    spared: AtomicBool,
    /// When the first of them was sent, and when something last succeeded, in nanoseconds of the
    /// epoch.
    since: AtomicU64,
    last_success: AtomicU64,
}

impl Row {
    pub(super) fn new(epoch: Instant) -> Self {
        let (since, last_success) = (AtomicU64::new(0), AtomicU64::new(0));
        let (length, spared) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { epoch, length, spared, since, last_success }
    }

    pub(super) fn length(&self) -> u32 {
        self.length.load(Ordering::Relaxed)
    }

    /// One more, that was sent then; those who tell of failures come one by one.
    pub(super) fn failed(&self, sent: Instant) {
        if self.length.fetch_add(1, Ordering::Relaxed) == 0 {
            self.since.store(self.nanos(sent), Ordering::Relaxed);
        }
    }

    /// The peer refused one, that was sent then. The first after a success is let pass: servers end
    /// connections, and whoever was on one goes to another.
    pub(super) fn refused(&self, sent: Instant) {
        if self.spared.swap(true, Ordering::Relaxed) {
            self.failed(sent);
        }
    }

    /// A success ends it; how long it was silent until then, if there were many failures.
    pub(super) fn succeeded(&self, now: Instant) -> Option<Duration> {
        let length = self.length();
        let silence = || now.saturating_duration_since(self.silent_since());
        let ended = (length >= MANY).then(silence);
        if length != 0 || self.spared.load(Ordering::Relaxed) {
            self.clear();
        }
        self.last_success.store(self.nanos(now), Ordering::Relaxed);
        ended
    }

    /// When the first of them was sent, or something last succeeded if that was later.
    pub(super) fn silent_since(&self) -> Instant {
        let since = self.since.load(Ordering::Relaxed);
        let since = since.max(self.last_success.load(Ordering::Relaxed));
        self.epoch + Duration::from_nanos(since)
    }

    pub(super) fn clear(&self) {
        self.length.store(0, Ordering::Relaxed);
        self.spared.store(false, Ordering::Relaxed);
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// So many failures in a row are hardly chance: a silence with fewer is a lack of calls.
const MANY: u32 = 10;
