use std::time::{Duration, Instant};

use crate::rate_limit::RequestCounts;

/// How many requests a second calls ask for. It is pure: the time is an argument.
#[derive(Debug)]
pub(super) struct Demand {
    counts: RequestCounts,
    at: Instant,
    a_second: f64,
}

impl Demand {
    pub(super) fn new(counts: RequestCounts, now: Instant) -> Self {
        Self { counts, at: now, a_second: 0.0 }
    }

    /// Looks at the counts again. Calls that wait ought to be gone within `within`; `share` is what could be used
    /// meanwhile, in requests a second.
    pub(super) fn observe(
        &mut self,
        counts: RequestCounts,
        share: f64,
        within: Duration,
        now: Instant,
    ) {
        let over = now.saturating_duration_since(self.at).as_secs_f64();
        if over <= 0.0 {
            return;
        }
        let all = |counts: RequestCounts| counts.done.saturating_add(counts.waiting.into());
        let came = all(counts).saturating_sub(all(self.counts)) as f64;
        let seen = came / over + f64::from(counts.waiting) / within.as_secs_f64();
        // Few callers that wait for each call ask for no more than they get, but could use more.
        let is_short = counts.waiting > 0 && came / over >= share * USED_UP;
        let seen = if is_short { seen.max(share * MORE) } else { seen };
        // What is refused and waits meanwhile can't be sent. Shortly before the end of a pause it counts again.
        let is_paused = counts.paused_for > within;
        let seen = if is_paused { 0.0 } else { seen };
        // One request after a while proves no rise, and one that is missing proves no fall.
        let proof = seen.max(self.a_second) * over;
        let part = BELIEVED * proof / (proof + DOUBT);
        self.a_second += (seen - self.a_second) * part;
        (self.counts, self.at) = (counts, now);
    }

    pub(super) fn a_second(&self) -> f64 {
        self.a_second
    }
}

/// How much of a change is believed at once, at most: counts of one moment vary by themselves.
const BELIEVED: f64 = 0.8;
/// A change that is seen by so many requests is half believed.
const DOUBT: f64 = 3.0;
/// A share is used up if so much of it is used.
const USED_UP: f64 = 0.8;
/// What could be used, of what is, while calls wait.
const MORE: f64 = 1.5;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What is found after some seconds in each of which so many calls came and so many wait, with this share.
    fn found(came: u64, waiting: u32, share: f64) -> f64 {
        found_paused(came, waiting, share, |_| Duration::ZERO)
    }

    /// The same, with a pause that lasts so long in each second.
    fn found_paused(came: u64, waiting: u32, share: f64, pause: fn(u32) -> Duration) -> f64 {
        let now = crate::rt::now();
        let mut demand = Demand::new(RequestCounts::default(), now);
        for second in 1..=10 {
            let done = came * u64::from(second);
            let counts = RequestCounts { done, waiting, paused_for: pause(second) };
            demand.observe(counts, share, SECOND * 3, now + SECOND * second);
        }
        demand.a_second()
    }

    #[test]
    fn what_a_long_pause_refuses_is_not_asked_for_until_shortly_before_its_end() {
        assert!(found_paused(50, 30, 50.0, |_| SECOND * 4) < 0.01);
        assert!(found_paused(20, 0, 50.0, |second| SECOND * 11 - SECOND * second) > 15.0);
        assert!((found_paused(20, 0, 50.0, |_| SECOND) - 20.0).abs() < 0.5);
    }

    #[test]
    fn it_is_what_comes_and_what_waits_and_more_where_the_share_is_used_up() {
        assert!((found(20, 0, 50.0) - 20.0).abs() < 0.5);
        assert!((found(20, 30, 50.0) - 30.0).abs() < 1.0);
        assert!((found(50, 1, 50.0) - 75.0).abs() < 1.0);
        // Calls that wait for something else.
        assert!((found(10, 1, 50.0) - 10.3).abs() < 0.5);
    }
}
