use std::time::{Duration, Instant};

use crate::rt::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Counts the failures since the last success, in atomics.
#[derive(Debug)]
pub(super) struct ConsecutiveFailures {
    epoch: Instant,
    length: AtomicU32,
    /// The peer has refused an attempt since the last success, which was not counted.
    ignored_first: AtomicBool,
    /// When the first of them was sent, and when an attempt last succeeded, in nanoseconds since
    /// `epoch`.
    since: AtomicU64,
    last_success: AtomicU64,
}

impl ConsecutiveFailures {
    pub(super) fn new(epoch: Instant) -> Self {
        let (since, last_success) = (AtomicU64::new(0), AtomicU64::new(0));
        let (length, ignored_first) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { epoch, length, ignored_first, since, last_success }
    }

    pub(super) fn length(&self) -> u32 {
        self.length.load(Ordering::Relaxed)
    }

    /// Counts a failed attempt that was sent at `sent`. Failures are recorded under the lock.
    pub(super) fn failed(&self, sent: Instant) {
        if self.length.fetch_add(1, Ordering::Relaxed) == 0 {
            self.since.store(self.nanos(sent), Ordering::Relaxed);
        }
    }

    /// Counts an attempt that the peer refused. The first after a success is not counted: servers
    /// close connections as a matter of routine, and the next attempt uses another one.
    pub(super) fn refused(&self, sent: Instant) {
        if self.ignored_first.swap(true, Ordering::Relaxed) {
            self.failed(sent);
        }
    }

    /// A success resets the count. Returns how long nothing had succeeded, if there were many
    /// failures.
    pub(super) fn succeeded(&self, now: Instant) -> Option<Duration> {
        let length = self.length();
        let gap = || now.saturating_duration_since(self.no_success_since());
        let ended = (length >= MIN_FAILURES).then(gap);
        if length != 0 || self.ignored_first.load(Ordering::Relaxed) {
            self.clear();
        }
        self.last_success.store(self.nanos(now), Ordering::Relaxed);
        ended
    }

    /// When the first of them was sent, or an attempt last succeeded if that was later.
    pub(super) fn no_success_since(&self) -> Instant {
        let since = self.since.load(Ordering::Relaxed);
        let since = since.max(self.last_success.load(Ordering::Relaxed));
        self.epoch + Duration::from_nanos(since)
    }

    pub(super) fn clear(&self) {
        self.length.store(0, Ordering::Relaxed);
        self.ignored_first.store(false, Ordering::Relaxed);
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// With fewer failures in a row, a time without a success means a lack of calls.
const MIN_FAILURES: u32 = 10;
