use std::time::{Duration, Instant};

use crate::rt::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Counts failures in a row, in atomics, and keeps what others say until a success.
///
/// A successful head ends the row of those that came instead of a head: answers may take minutes to be read, and what
/// answers isn't down. Failures in the bodies are a row of their own, which a body ends that was read to its end.
#[derive(Debug)]
pub(super) struct ConsecutiveFailures {
    epoch: Instant,
    heads: Row,
    bodies: Row,
    /// The peer has refused an attempt since the last success, which was not counted.
    ignored_first: AtomicBool,
    /// Until when most others say that nothing answers them; 0 if they don't.
    hinted_until: AtomicU64,
}

/// Failures after the last success of the same part of an answer.
#[derive(Debug)]
struct Row {
    length: AtomicU32,
    /// When the first of them was sent, in nanoseconds since the epoch.
    since: AtomicU64,
    /// When that part last succeeded, the same.
    last_success: AtomicU64,
}

impl Row {
    fn new() -> Self {
        let (since, last_success) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { length: AtomicU32::new(0), since, last_success }
    }

    fn length(&self) -> u32 {
        self.length.load(Ordering::Relaxed)
    }

    fn add(&self, sent: u64) {
        if self.length.fetch_add(1, Ordering::Relaxed) == 0 {
            self.since.store(sent, Ordering::Relaxed);
        }
    }

    /// When the first of them was sent, or the part last succeeded if that was later.
    fn no_success_since(&self) -> u64 {
        let since = self.since.load(Ordering::Relaxed);
        since.max(self.last_success.load(Ordering::Relaxed))
    }

    fn end(&self) {
        self.length.store(0, Ordering::Relaxed);
    }
}

impl ConsecutiveFailures {
    pub(super) fn new(epoch: Instant) -> Self {
        let (ignored_first, hinted_until) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { epoch, heads: Row::new(), bodies: Row::new(), ignored_first, hinted_until }
    }

    pub(super) fn length(&self) -> u32 {
        self.heads.length().saturating_add(self.bodies.length())
    }

    /// Counts a failed attempt that was sent at `sent`, with its head or later. Failures are recorded under the lock.
    pub(super) fn failed(&self, sent: Instant, had_head: bool) {
        let row = if had_head { &self.bodies } else { &self.heads };
        row.add(self.nanos(sent));
    }

    /// Counts an attempt that the peer refused. The first after a success is not counted: servers
    /// close connections as a matter of routine, and the next attempt uses another one.
    pub(super) fn refused(&self, sent: Instant, had_head: bool) {
        if self.ignored_first.swap(true, Ordering::Relaxed) {
            self.failed(sent, had_head);
        }
    }

    /// A successful head has come. Returns how long nothing had answered, if there were many failures.
    pub(super) fn answered(&self, now: Instant) -> Option<Duration> {
        self.ended_by(&[&self.heads], now)
    }

    /// A success ends all of it. Returns how long nothing had succeeded, if there were many failures.
    pub(super) fn succeeded(&self, now: Instant) -> Option<Duration> {
        self.ended_by(&[&self.heads, &self.bodies], now)
    }

    fn ended_by(&self, rows: &[&Row], now: Instant) -> Option<Duration> {
        let length: u32 = rows.iter().map(|row| row.length()).sum();
        let gap = || now.saturating_duration_since(self.no_success_since());
        let ended = (length >= MIN_FAILURES).then(gap);
        if length != 0 {
            rows.iter().for_each(|row| row.end());
        }
        if self.ignored_first.load(Ordering::Relaxed) {
            self.ignored_first.store(false, Ordering::Relaxed);
        }
        if self.hinted_until.load(Ordering::Relaxed) != 0 {
            self.hinted_until.store(0, Ordering::Relaxed);
        }
        let now = self.nanos(now);
        rows.iter().for_each(|row| row.last_success.store(now, Ordering::Relaxed));
        ended
    }

    /// Since when there is no head, if heads are missing; else, since when no body comes to its end.
    pub(super) fn no_success_since(&self) -> Instant {
        let row = if self.heads.length() > 0 { &self.heads } else { &self.bodies };
        self.epoch + Duration::from_nanos(row.no_success_since())
    }

    pub(super) fn clear(&self) {
        self.heads.end();
        self.bodies.end();
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
