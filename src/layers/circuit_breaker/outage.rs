use std::time::{Duration, Instant};

/// Why the breaker refuses calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// So many attempts have failed in a row since then.
    Consecutive { since: Instant, failed: u32 },
    /// Too many calls of the window failed.
    Failures,
    /// Too many calls of the window were slow.
    Slowness,
    /// A handle opened it.
    Manual,
    /// It is closed, and calls that were held before are released first.
    Releasing,
}

/// An outage. One that begins soon after another continues it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) cause: Cause,
    pub(super) began: Instant,
    /// Since when nothing has succeeded; for other causes, when it opened.
    pub(super) no_success_since: Instant,
    /// How many attempts have failed since then.
    pub(super) failed: u32,
    /// When the last one did; when it opened, if none has since.
    #[cfg(feature = "fleet")]
    last_failed: Instant,
    ended: Option<Instant>,
}

/// The longest recent time without a success that did not become an outage.
#[derive(Clone, Copy, Debug)]
pub(super) struct SuccessGap {
    longest: Duration,
    /// When the last one ended.
    at: Instant,
}

impl Outage {
    pub(super) fn begin(cause: Cause, before: Option<Self>, now: Instant) -> Self {
        let is_recent = |ended: Instant| now.saturating_duration_since(ended) < SAME_OUTAGE;
        let same = before.filter(|before| before.ended.is_some_and(is_recent));
        let (no_success_since, failed) = match cause {
            Cause::Consecutive { since, failed } => (since, failed),
            _ => (now, 0),
        };
        let began = same.map_or(now, |before| before.began);
        Self {
            cause,
            began,
            no_success_since,
            failed,
            #[cfg(feature = "fleet")]
            last_failed: now,
            ended: None,
        }
    }

    /// An attempt of its own has failed.
    pub(super) fn count_failure(&mut self, _now: Instant) {
        self.failed = self.failed.saturating_add(1);
        #[cfg(feature = "fleet")]
        {
            self.last_failed = _now;
        }
    }

    /// Whether it was seen lately that the provider fails. Without calls, nobody knows whether it still does.
    #[cfg(feature = "fleet")]
    pub(super) fn is_seen(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_failed) < SEEN
    }

    pub(super) fn goes_on(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn ended_at(&self, now: Instant) -> Instant {
        self.ended.unwrap_or(now)
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.ended.get_or_insert(now);
    }
}

impl SuccessGap {
    pub(super) fn new(now: Instant) -> Self {
        Self { longest: Duration::ZERO, at: now }
    }

    /// A success came after failures, while the breaker was closed.
    pub(super) fn ended(&mut self, gap: Duration, now: Instant) {
        let before = self.remembered(now);
        (self.longest, self.at) = (gap.max(before - before / 8), now);
    }

    /// How long nothing may succeed before it is an outage: `least`, and twice that while few calls
    /// succeed.
    pub(super) fn longest(&self, least: Duration, now: Instant) -> Duration {
        if self.remembered(now) >= least / 2 { least.saturating_mul(2) } else { least }
    }

    fn remembered(&self, now: Instant) -> Duration {
        let is_recent = now.saturating_duration_since(self.at) < RECENT;
        if is_recent { self.longest } else { Duration::ZERO }
    }
}

/// An outage that begins this soon after another continues it, so that a provider that flaps
/// counts as one outage.
const SAME_OUTAGE: Duration = Duration::from_secs(10);
/// How long a failure is told to others: longer than probes are apart.
#[cfg(feature = "fleet")]
const SEEN: Duration = Duration::from_secs(15);
/// How long the longest time without a success is kept.
const RECENT: Duration = Duration::from_secs(60);
