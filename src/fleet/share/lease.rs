use std::time::{Duration, Instant, SystemTime};

use super::fair::{FEWEST, Holder, Millionths, Portion, least, small};
use super::ledger::FORGOTTEN;
use crate::rate_limit::{Quota, RateShare};
use crate::rt::{self, Clock, Rng};

/// What one holder knows of its share: what it may use, until when, and when it asks again. It is pure: the
/// time is an argument.
#[derive(Debug)]
pub(super) struct ShareLease {
    terms: LeaseTerms,
    quota: Quota,
    /// What it may use; 0 before the first answer.
    using: Millionths,
    /// What it is to have as soon as others have lowered theirs.
    fair: Millionths,
    /// How many holders there were at the last answer.
    holders: u64,
    /// When it ends, by both clocks. Absent before the first answer.
    ends: Option<(Instant, SystemTime)>,
    /// The demand that was told last.
    told: Millionths,
    asked_at: Option<Instant>,
    /// Whether much of the rate was left for whoever comes to want it.
    has_free: bool,
    due: Instant,
    failures: u32,
}

/// For how long a lease is given: others leave the share alone for so long after a renewal, and it is used for no
/// longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeaseTerms {
    pub(super) lease: Duration,
}

impl LeaseTerms {
    /// From one renewal to the next.
    pub(super) fn renewal(&self) -> Duration {
        self.lease / RENEWALS
    }

    /// How often demand is looked at, if no call waits for a share.
    pub(super) fn look(&self) -> Duration {
        self.renewal() / LOOKS
    }
}

impl ShareLease {
    pub(super) fn new(terms: LeaseTerms, quota: Quota, now: Instant) -> Self {
        Self {
            terms,
            quota,
            using: 0,
            fair: Millionths::MAX,
            holders: FEWEST,
            ends: None,
            told: 0,
            asked_at: None,
            has_free: false,
            due: now,
            failures: 0,
        }
    }

    /// The account's rate was set anew.
    pub(super) fn set_quota(&mut self, quota: Quota, now: Instant) {
        if quota != self.quota {
            let before = self.rate();
            self.quota = quota;
            // If it falls for all, the sum of what they use falls with it, although nobody can be asked.
            let scaled = u128::from(self.using) * u128::from(self.rate()) / u128::from(before);
            self.using = self.using.min(Millionths::try_from(scaled).unwrap_or(Millionths::MAX));
            self.due = now;
        }
    }

    /// What to ask for, with a demand in requests a second.
    pub(super) fn ask(&mut self, demand: f64, now: Instant) -> Holder {
        let demand = (demand * MILLION) as Millionths;
        (self.told, self.asked_at) = (demand, Some(now));
        Holder { using: self.using, demand, rate: self.rate() }
    }

    /// The database answered what was asked at this time.
    pub(super) fn granted(
        &mut self,
        portion: Portion,
        asked: (Instant, SystemTime),
        now: Instant,
        rng: &Rng,
    ) {
        let before = std::mem::replace(&mut self.using, portion.share);
        (self.fair, self.holders) = (portion.fair, portion.holders);
        let wall = asked.1.checked_add(self.terms.lease).unwrap_or(asked.1);
        self.ends = Some((rt::after(asked.0, self.terms.lease), wall));
        (self.failures, self.has_free) = (0, portion.free > self.rate() / MUCH);
        self.due = match () {
            // Others wait for what it gave back.
            () if is_much_less(self.using, before) => now,
            () if is_much_less(self.using, portion.fair) => rt::after(now, self.terms.look()),
            () => rt::after(now, rng.about(self.terms.renewal())),
        };
    }

    /// The database could not be asked.
    pub(super) fn failed(&mut self, now: Instant, rng: &Rng) {
        let delay = self.terms.look().saturating_mul(1 << self.failures.min(2));
        self.failures = self.failures.saturating_add(1);
        self.due = rt::after(now, rng.about(delay));
    }

    /// It is given back.
    pub(super) fn end(&mut self, now: Instant) {
        (self.using, self.ends, self.due) = (0, None, now);
    }

    /// Whether it is time to ask, with this demand in requests a second.
    pub(super) fn is_due(&self, demand: f64, now: Instant) -> bool {
        let wants = (demand * MILLION) as Millionths;
        // Much more is asked for than was told, and than there is; or others can use much of it.
        let is_more = is_much_less(self.told.max(self.using), wants);
        let is_less = wants < self.told / 3 * 2 && self.told - wants > self.rate() / MUCH;
        let is_news = (is_more || is_less) && self.failures == 0;
        let may_ask = |at| now >= rt::after(at, self.soonest());
        now >= self.due || is_news && self.asked_at.is_none_or(may_ask)
    }

    /// Whether it has ended, and nobody could be asked for another: little of the rate is used.
    pub(super) fn has_ended(&self, clock: Clock, now: Instant) -> bool {
        let share = self.share(clock, now);
        now >= share.until || clock.wall() >= share.until_wall
    }

    /// What it may use, in requests a second.
    pub(super) fn using(&self) -> f64 {
        self.using as f64 / MILLION
    }

    /// How soon after the last time it may ask again. At once, if there is something to be had.
    pub(super) fn soonest(&self) -> Duration {
        if self.has_free { self.terms.look() / QUICKER } else { self.terms.look() }
    }

    /// What the rate limit is to keep to.
    pub(super) fn share(&self, clock: Clock, now: Instant) -> RateShare {
        let part = self.using as f64 / self.rate().max(1) as f64;
        let (until, until_wall) = self.ends.unwrap_or_else(|| (now, clock.wall()));
        RateShare {
            rate: self.using(),
            burst: f64::from(self.quota.burst) * part,
            until,
            until_wall,
            clock,
            afterwards: self.afterwards(now) as f64 / MILLION,
            is_to_rise: self.failures == 0 && self.using < self.fair,
            demand: self.told as f64 / MILLION,
        }
    }

    /// What it may use when it has ended: never more than before, and after some time only what is left for those that
    /// are forgotten.
    fn afterwards(&self, now: Instant) -> Millionths {
        let least = least(self.rate(), self.holders);
        match self.ends {
            Some((at, _)) if now < rt::after(at, FORGOTTEN) => {
                self.using.min(small(self.rate(), self.holders)).max(least)
            }
            _ => least,
        }
    }

    /// The account's whole rate.
    fn rate(&self) -> Millionths {
        let nanos = self.quota.per.as_nanos().max(1);
        let rate = u128::from(self.quota.requests) * MILLIONTHS_IN_NANOS / nanos;
        Millionths::try_from(rate).unwrap_or(Millionths::MAX / 1_000).max(1)
    }
}

/// Less by more than a tenth.
fn is_much_less(less: Millionths, than: Millionths) -> bool {
    less.saturating_mul(10) < than.saturating_mul(9)
}

/// A lease outlasts nine renewals that fail.
const RENEWALS: u32 = 10;
/// How often demand is looked at from one renewal to the next.
const LOOKS: u32 = 3;
/// One in so many of the rate is worth to be asked for, or given back, before the next renewal.
const MUCH: Millionths = 20;
/// How much sooner one asks that calls wait for, while some of the rate is free.
const QUICKER: u32 = 10;
const MILLION: f64 = 1e6;
/// One request in a nanosecond, in millionths of a request a second.
const MILLIONTHS_IN_NANOS: u128 = 1_000_000_000_000_000;
