//! Figures of the last hour, minute by minute.

use std::time::{Duration, SystemTime};

use super::steps::Replacement;
use crate::terms::Class;

/// One hour, as a ring of minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Minutes(Vec<Minute>);

/// One minute's calls, by what they came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Minute {
    /// Minutes since 1970.
    pub(super) number: u64,
    pub(super) counts: [u32; KINDS],
    /// How many took at most 2^n milliseconds, and more than half of that.
    took: [u32; BUCKETS],
}

/// What a call came to, as far as the overview shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The provider did it, or the cache had an answer that could be given without asking.
    Answered,
    /// The request was wrong: ours to mend.
    Ours,
    /// The provider failed, or nothing came.
    Theirs,
    /// Refused here: nothing was sent.
    Refused,
    /// The caller left.
    Left,
    /// The caller got the fallback: the provider failed, or wasn't asked.
    Fallback,
    /// The caller got a stale answer in place of a failure.
    Stale,
}

impl Kind {
    pub(super) fn of(class: Option<Class>, replaced: Option<Replacement>) -> Self {
        match class {
            Some(Class::Success) if replaced == Some(Replacement::Fallback) => Self::Fallback,
            Some(Class::Success) if replaced == Some(Replacement::StaleAnswer) => Self::Stale,
            None => Self::Left,
            Some(Class::Success | Class::Partial) => Self::Answered,
            Some(Class::Rejected(_)) => Self::Refused,
            Some(Class::ClientError | Class::Unauthorized | Class::Request) => Self::Ours,
            Some(_) => Self::Theirs,
        }
    }

    pub(super) fn is_failure(self) -> bool {
        !matches!(self, Self::Answered | Self::Left)
    }
}

impl Minutes {
    pub(super) fn count(&mut self, at: SystemTime, kind: Kind, elapsed: Duration) {
        let number = number(at);
        if self.0.is_empty() {
            self.0 = vec![Minute::default(); HOUR];
        }
        let minute = &mut self.0[(number % HOUR as u64) as usize];
        // A clock that was set back counts in the past's place.
        if minute.number != number {
            *minute = Minute { number, ..Minute::default() };
        }
        minute.counts[kind as usize] += 1;
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - millis.saturating_sub(1).leading_zeros()) as usize;
        minute.took[bucket.min(BUCKETS - 1)] += 1;
    }

    /// The last hour, oldest first.
    pub(super) fn hour(&self, now: SystemTime) -> impl Iterator<Item = Minute> {
        let now = number(now);
        let first = now.saturating_sub(HOUR as u64 - 1);
        (first..=now).map(move |number| {
            let known = self.0.get((number % HOUR as u64) as usize).copied().unwrap_or_default();
            if known.number == number { known } else { Minute { number, ..Minute::default() } }
        })
    }

    /// The last five minutes together, the present one included.
    pub(super) fn lately(&self, now: SystemTime) -> Minute {
        self.hour(now).skip(HOUR - LATELY).fold(Minute::default(), |mut sum, minute| {
            sum.counts.iter_mut().zip(minute.counts).for_each(|(sum, count)| *sum += count);
            sum.took.iter_mut().zip(minute.took).for_each(|(sum, count)| *sum += count);
            sum
        })
    }
}

impl Minute {
    pub(super) fn of(&self, kind: Kind) -> u32 {
        self.counts[kind as usize]
    }

    /// How many the provider failed, whatever the caller got.
    pub(super) fn failed(&self) -> u32 {
        self.of(Kind::Theirs) + self.of(Kind::Fallback) + self.of(Kind::Stale)
    }

    pub(super) fn calls(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// What 95 of 100 calls didn't exceed, rounded up to a power of two.
    pub(super) fn p95(&self) -> Option<Duration> {
        let all: u32 = self.took.iter().sum();
        let enough = u64::from(all) * 95;
        let mut so_far = 0;
        let bucket = self.took.iter().position(|count| {
            so_far += u64::from(*count);
            so_far * 100 >= enough && all > 0
        });
        bucket.map(|bucket| Duration::from_millis(1 << bucket))
    }
}

fn number(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 60
}

const KINDS: usize = 7;
pub(super) const HOUR: usize = 60;
/// How many minutes the figures of a card are of.
pub(super) const LATELY: usize = 5;
/// Up to half an hour.
const BUCKETS: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + minute * 60)
    }

    #[test]
    fn an_hour_is_remembered_and_no_more() {
        let mut minutes = Minutes::default();
        for minute in 0..100 {
            minutes.count(at(minute), Kind::Answered, Duration::from_millis(20));
            minutes.count(at(minute), Kind::Theirs, Duration::from_secs(3));
        }
        let hour: Vec<_> = minutes.hour(at(99)).collect();
        assert_eq!(hour.len(), HOUR);
        assert!(hour.iter().all(|minute| minute.calls() == 2));
        // Half an hour later, the older half is gone.
        let later: Vec<_> = minutes.hour(at(129)).collect();
        assert_eq!(later.iter().filter(|minute| minute.calls() > 0).count(), 30);
        assert_eq!(minutes.lately(at(99)).of(Kind::Theirs), LATELY as u32);
    }

    #[test]
    fn the_p95_is_the_next_power_of_two() {
        let mut minutes = Minutes::default();
        assert_eq!(minutes.lately(at(0)).p95(), None);
        for millis in [1; 94].into_iter().chain([100; 6]) {
            minutes.count(at(0), Kind::Answered, Duration::from_millis(millis));
        }
        assert_eq!(minutes.lately(at(0)).p95(), Some(Duration::from_millis(128)));
        let mut quick = Minutes::default();
        quick.count(at(0), Kind::Answered, Duration::ZERO);
        assert_eq!(quick.lately(at(0)).p95(), Some(Duration::from_millis(1)));
        let mut slow = Minutes::default();
        slow.count(at(0), Kind::Answered, Duration::from_secs(1 << 20));
        assert_eq!(slow.lately(at(0)).p95(), Some(Duration::from_millis(1 << 21)));
    }
}
