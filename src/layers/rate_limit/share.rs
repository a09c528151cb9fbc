use std::time::{Duration, Instant, SystemTime};

use super::state::{Schedule, ShareNow};
use crate::rt::{self, Clock};

/// What a process may use of a rate that it shares with others, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateShare {
    /// Requests a second; zero lets none through.
    pub(crate) rate: f64,
    /// How many requests an idle time saves up, at least one.
    pub(crate) burst: f64,
    /// When it ends, by the monotonic clock and by the wall clock: the first that says so is right. The
    /// one may stand still while the machine sleeps, the other may be set.
    pub(crate) until: Instant,
    pub(crate) until_wall: SystemTime,
    pub(crate) clock: Clock,
    /// Requests a second after its end.
    pub(crate) afterwards: f64,
    /// Whether a higher one is on its way: nobody has answered yet, or others are to lower theirs.
    pub(crate) is_to_rise: bool,
    /// How many a second calls asked for lately, for people to read.
    pub(crate) demand: f64,
}

/// A token bucket whose rate is changed from outside, and falls by itself when the share ends.
///
/// Another share neither adds nor forgets requests, so that all buckets of an account together let no
/// more through than the sum of their rates, and what they had saved up.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShareBucket {
    share: RateShare,
    /// The requests that may go at once, at `at`.
    saved: f64,
    at: Instant,
}

impl ShareBucket {
    fn new(share: RateShare, now: Instant) -> Self {
        Self { share, saved: 1.0, at: now }
    }

    /// When the next request may go; a moment later and again if there is no rate at all, or a higher one soon.
    fn ready_at(&self, now: Instant) -> Instant {
        let at = self.ready_without_another(now);
        if self.share.is_to_rise { at.min(rt::after(now, LOOK_AGAIN)) } else { at }
    }

    fn ready_without_another(&self, now: Instant) -> Instant {
        let mut bucket = *self;
        bucket.refill(now);
        let missing = 1.0 - bucket.saved;
        if missing <= ROUNDING {
            return now;
        }
        let first = seconds(missing / bucket.share.rate);
        let left = bucket.share.until.saturating_duration_since(now);
        if first <= left {
            return rt::after(now, first);
        }
        let missing = missing - left.as_secs_f64() * bucket.share.rate;
        match bucket.share.afterwards > 0.0 {
            true => rt::after(now, left.saturating_add(seconds(missing / bucket.share.afterwards))),
            false => rt::after(now, LOOK_AGAIN),
        }
    }

    fn take(&mut self, now: Instant) {
        self.refill(now);
        self.saved -= 1.0;
    }

    fn change(&mut self, share: RateShare, now: Instant) {
        self.refill(now);
        self.share = share;
        self.saved = self.saved.min(self.capacity(now));
    }

    /// If time went by that the monotonic clock didn't count, the share ends so much sooner.
    fn count_sleep(&mut self, wall: SystemTime, now: Instant) {
        let left = self.share.until_wall.duration_since(wall).unwrap_or_default();
        if rt::after(now, left.saturating_add(CLOCK_STEP)) < self.share.until {
            self.refill(now);
            self.share.until = rt::after(now, left);
        }
    }

    fn refill(&mut self, now: Instant) {
        let first = now.min(self.share.until).saturating_duration_since(self.at);
        let after = now.saturating_duration_since(self.at.max(self.share.until));
        let RateShare { rate, afterwards, .. } = self.share;
        self.saved += rate * first.as_secs_f64() + afterwards * after.as_secs_f64();
        self.saved = self.saved.min(self.capacity(now));
        self.at = self.at.max(now);
    }

    /// What can be saved up: the burst, and what a late timer would have let through.
    fn capacity(&self, now: Instant) -> f64 {
        let burst = if now < self.share.until { self.share.burst } else { 1.0 };
        burst.max(1.0) + self.rate(now) * TIMER_LATENESS.as_secs_f64()
    }

    fn rate(&self, now: Instant) -> f64 {
        if now < self.share.until { self.share.rate } else { self.share.afterwards }
    }
}

impl Schedule {
    /// Keeps to this share from now on, or to none.
    pub(super) fn set_share(&mut self, share: Option<RateShare>, now: Instant) {
        match (share, &mut self.share) {
            (Some(share), Some(known)) => known.change(share, now),
            (share, known) => *known = share.map(|share| ShareBucket::new(share, now)),
        }
    }

    /// Ends a share early if the machine has slept. To be called before a call is let through.
    pub(super) fn count_sleep(&mut self, now: Instant) {
        if let Some(bucket) = &mut self.share {
            bucket.count_sleep(bucket.share.clock.wall(), now);
        }
    }

    /// When the share lets the next request through.
    pub(super) fn share_ready_at(&self, now: Instant) -> Option<Instant> {
        self.share.map(|share| share.ready_at(now))
    }

    /// The time between two requests at the share's rate.
    pub(super) fn share_interval(&self, now: Instant) -> Option<Duration> {
        let interval = |rate| if rate > 0.0 { seconds(1.0 / rate) } else { LOOK_AGAIN };
        let capped = |time: Duration, cap: bool| if cap { time.min(LOOK_AGAIN) } else { time };
        self.share.map(|bucket| capped(interval(bucket.rate(now)), bucket.share.is_to_rise))
    }

    pub(super) fn share_now(&self, now: Instant) -> Option<ShareNow> {
        let (bucket, account) = (self.share?, self.config().account.clone()?);
        let RateShare { demand, until, .. } = bucket.share;
        Some(ShareNow { account, rate: bucket.rate(now), demand, has_ended: now >= until })
    }

    pub(super) fn take_share(&mut self, now: Instant) {
        if let Some(share) = &mut self.share {
            share.take(now);
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests;

/// Tokens are sums of fractions.
const ROUNDING: f64 = 1e-6;
/// How late a timer fires on a loaded machine.
const TIMER_LATENESS: Duration = Duration::from_millis(10);
/// The two clocks may run apart by so much without anybody having slept.
const CLOCK_STEP: Duration = Duration::from_millis(50);
/// After how long a call looks again that no share lets through; another share wakes it sooner.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
