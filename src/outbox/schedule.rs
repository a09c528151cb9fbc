use std::time::Duration;

use super::time::Timestamp;
use crate::rt::Rng;

/// When a message is tried again: fixed delays first, then each twice as long as the one before.
///
/// The default is 1 s, 5 s, 30 s, 5 min, then doubled up to 1 h: short troubles cost seconds, and a
/// provider that is down for a weekend is asked once an hour. Each delay is spread by ± 10 %, so that
/// messages that failed together don't return together. It counts from the end of the failed attempt.
///
/// ```
/// use std::time::Duration;
/// use outrigger::outbox::Schedule;
///
/// let schedule = Schedule::new([Duration::from_secs(2), Duration::from_secs(60)])
///     .then_doubled_up_to(Duration::from_secs(600));
/// assert_eq!(schedule.delay(2), Duration::from_secs(60));
/// assert_eq!(schedule.delay(3), Duration::from_secs(120));
/// assert_eq!(schedule.delay(9), Duration::from_secs(600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    first: Vec<Duration>,
    longest: Duration,
}

impl Schedule {
    /// These delays, of which the last is repeated. None at all is one of 1 s.
    #[must_use]
    pub fn new(delays: impl IntoIterator<Item = Duration>) -> Self {
        let mut first: Vec<_> = delays.into_iter().collect();
        if first.is_empty() {
            first.push(Duration::from_secs(1));
        }
        let longest = *first.last().expect("it has a delay");
        Self { first, longest }
    }

    /// After the last of them, each delay is twice the one before, up to `longest`.
    #[must_use]
    pub fn then_doubled_up_to(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// The delay after this many failed attempts, not spread.
    #[must_use]
    pub fn delay(&self, attempts: u32) -> Duration {
        let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(delay) = self.first.get(at) {
            return *delay;
        }
        let last = self.first.last().copied().unwrap_or(self.longest);
        let doubled = u32::try_from(at + 1 - self.first.len()).unwrap_or(u32::MAX).min(31);
        last.saturating_mul(1 << doubled).min(self.longest.max(last))
    }

    /// When to try again: by the delay, or when the provider asked for, whichever is later.
    pub(crate) fn next(
        &self,
        attempts: u32,
        ended: Timestamp,
        asked: Option<Duration>,
        rng: &Rng,
    ) -> Timestamp {
        let delay = self.delay(attempts);
        let tenth = delay / 10;
        let spread = rng.between(delay - tenth, delay.saturating_add(tenth));
        ended.plus(spread.max(asked.unwrap_or_default()))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::new([1, 5, 30, 300].map(Duration::from_secs))
            .then_doubled_up_to(Duration::from_secs(3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_tries_about_thirty_times_a_day() {
        let (schedule, day) = (Schedule::default(), Duration::from_secs(24 * 3600));
        let (mut tries, mut passed) = (1, Duration::ZERO);
        while passed + schedule.delay(tries) < day {
            passed += schedule.delay(tries);
            tries += 1;
        }
        assert!((28..=33).contains(&tries), "{tries}");
    }

    #[test]
    fn a_delay_is_spread_by_a_tenth_and_never_before_what_the_provider_asked() {
        let (schedule, rng) = (Schedule::default(), Rng::seeded(1));
        for attempt in 1..200 {
            let next = schedule.next(attempt, Timestamp(0), None, &rng);
            let delay = i64::try_from(schedule.delay(attempt).as_millis()).unwrap();
            assert!((delay * 9 / 10..=delay * 11 / 10 + 1).contains(&next.0), "{attempt}: {next}");
            let asked = schedule.next(attempt, Timestamp(0), Some(Duration::from_secs(7200)), &rng);
            assert_eq!(asked, Timestamp(7_200_000));
        }
    }

    #[test]
    fn no_delay_overflows() {
        let schedule = Schedule::new([Duration::MAX]).then_doubled_up_to(Duration::MAX);
        assert_eq!(schedule.delay(u32::MAX), Duration::MAX);
        assert_eq!(schedule.next(7, Timestamp(1), None, &Rng::seeded(1)), Timestamp::NEVER);
    }
}
