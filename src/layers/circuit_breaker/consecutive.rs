use std::time::{Duration, Instant};

use crate::rt::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Counts the failures since the last success, in atomics, and keeps what others say until then.
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
    /// Until when most others say that nothing answers them; 0 if they don't.
    hinted_until: AtomicU64,
}

impl ConsecutiveFailures {
    pub(super) fn new(epoch: Instant) -> Self {
        let (since, last_success) = (AtomicU64::new(0), AtomicU64::new(0));
        let (length, ignored_first) = (AtomicU32::new(0), AtomicBool::new(false));
        let hinted_until = AtomicU64::new(0);
        Self { epoch, length, ignored_first, since, last_success, hinted_until }
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
        let hinted_until = self.hinted_until.load(Ordering::Relaxed);
        if length != 0 || hinted_until != 0 || self.ignored_first.load(Ordering::Relaxed) {
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
        self.hinted_until.store(0, Ordering::Relaxed);
    }

    /// Most others say that nothing answers them, which holds until then or the next success here.
    #[cfg(feature = "fleet")]
    pub(super) fn hint(&self, until: Instant) {
        self.hinted_until.store(self.nanos(until), Ordering::Relaxed);
    }

    pub(super) fn is_hinted(&self, now: Instant) -> bool {
        let until = self.hinted_until.load(Ordering::Relaxed);
        until != 0 && self.nanos(now) < until
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// With fewer failures in a row, a time without a success means a lack of calls.
const MIN_FAILURES: u32 = 10;
