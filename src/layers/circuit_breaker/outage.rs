use std::time::{Duration, Instant};

/// Why it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// So many attempts failed one after the other, since then.
    Row { since: Instant, failed: u32 },
    /// Too many calls of the window failed.
    Failures,
    /// Too many calls of the window were slow.
    Slowness,
    /// Somebody opened it.
    Hand,
    /// It is closed, and others were held before.
    Line,
}

/// One outage; one that begins soon after another is the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) cause: Cause,
    pub(super) began: Instant,
    /// Since when nothing has succeeded, or it was opened for another reason.
    pub(super) silent_since: Instant,
    /// Attempts that failed since then.
    pub(super) failed: u32,
    ended: Option<Instant>,
}

/// How long a provider that is there was lately silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    longest: Duration,
    /// When the last one ended.
    at: Instant,
}

impl Outage {
    pub(super) fn begin(cause: Cause, before: Option<Self>, now: Instant) -> Self {
        let is_recent = |ended: Instant| now.saturating_duration_since(ended) < SAME_OUTAGE;
        let same = before.filter(|before| before.ended.is_some_and(is_recent));
        let (silent_since, failed) = match cause {
            Cause::Row { since, failed } => (since, failed),
            _ => (now, 0),
        };
        let began = same.map_or(now, |before| before.began);
        Self { cause, began, silent_since, failed, ended: None }
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

impl Silence {
    pub(super) fn new(now: Instant) -> Self {
        Self { longest: Duration::ZERO, at: now }
    }

    /// One ended by itself: a success came after failures.
    pub(super) fn ended(&mut self, silence: Duration, now: Instant) {
        let before = self.remembered(now);
        (self.longest, self.at) = (silence.max(before - before / 8), now);
    }

    /// How long one may be before it is an outage: `least`, and twice that where few calls
    /// succeed.
    pub(super) fn longest(&self, least: Duration, now: Instant) -> Duration {
        if self.remembered(now) >= least / 2 { least.saturating_mul(2) } else { least }
    }

    fn remembered(&self, now: Instant) -> Duration {
        let is_recent = now.saturating_duration_since(self.at) < RECENT;
        if is_recent { self.longest } else { Duration::ZERO }
    }
}

/// An outage that begins so soon after another is the same: a provider that flaps is one trouble.
const SAME_OUTAGE: Duration = Duration::from_secs(10);
/// How long a silence that ended by itself is remembered.
const RECENT: Duration = Duration::from_secs(60);
