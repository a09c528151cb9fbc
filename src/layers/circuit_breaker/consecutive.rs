use std::time::{Duration, Instant};

use crate::rt::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Counts failures in a row, in atomics, and keeps what others say until a success.
///
/// A successful head ends the row of those that came instead of a head: answers may take minutes to be read, and what
/// answers isn't down. Failures in the bodies are a row of their own, which a body ends that was read to its end. Each is
/// judged by itself.
#[derive(Debug)]
pub(super) struct ConsecutiveFailures {
    epoch: Instant,
    heads: Row,
    bodies: Row,
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
    /// The peer has refused an attempt since then, which was not counted.
    ignored_first: AtomicBool,
}

/// A row as it is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) in_row: u32,
    /// When the first of them was sent, or that part last succeeded if that was later.
    pub(super) since: Instant,
}

impl Row {
    fn new() -> Self {
        let (since, last_success) = (AtomicU64::new(0), AtomicU64::new(0));
        let ignored_first = AtomicBool::new(false);
        Self { length: AtomicU32::new(0), since, last_success, ignored_first }
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

    /// Most often there is nothing to write.
    fn end(&self) {
        if self.length() != 0 {
            self.length.store(0, Ordering::Relaxed);
        }
        if self.ignored_first.load(Ordering::Relaxed) {
            self.ignored_first.store(false, Ordering::Relaxed);
        }
    }
}

impl ConsecutiveFailures {
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, heads: Row::new(), bodies: Row::new(), hinted_until: AtomicU64::new(0) }
    }

    /// The longer row.
    pub(super) fn length(&self) -> u32 {
        self.heads.length().max(self.bodies.length())
    }

    /// Those that came instead of a head, and those of bodies.
    pub(super) fn rows(&self) -> [Failed; 2] {
        [&self.heads, &self.bodies].map(|row| {
            let since = Duration::from_nanos(row.no_success_since());
            Failed { in_row: row.length(), since: self.epoch + since }
        })
    }

    fn row(&self, had_head: bool) -> &Row {
        if had_head { &self.bodies } else { &self.heads }
    }

    /// Counts a failed attempt that was sent at `sent`, with its head or later. Failures are recorded under the lock.
    pub(super) fn failed(&self, sent: Instant, had_head: bool) {
        self.row(had_head).add(self.nanos(sent));
    }

    /// Counts an attempt that the peer refused. The first after a success is not counted: servers
    /// close connections as a matter of routine, and the next attempt uses another one.
    pub(super) fn refused(&self, sent: Instant, had_head: bool) {
        if self.row(had_head).ignored_first.swap(true, Ordering::Relaxed) {
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
        let at = self.nanos(now);
        let many = rows.iter().filter(|row| row.length() >= MIN_FAILURES);
        let gaps = many.map(|row| at.saturating_sub(row.no_success_since()));
        let longest = gaps.max().map(Duration::from_nanos);
        if self.hinted_until.load(Ordering::Relaxed) != 0 {
            self.hinted_until.store(0, Ordering::Relaxed);
        }
        for row in rows {
            row.end();
            row.last_success.store(at, Ordering::Relaxed);
        }
        longest
    }

    pub(super) fn clear(&self) {
        self.heads.end();
        self.bodies.end();
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
