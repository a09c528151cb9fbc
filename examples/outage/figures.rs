use std::time::Duration;

use crate::books::Books;
use crate::script::{PHASES, Phase, TOTAL, recovery};
use crate::tally::{Call, Outcome};

/// What one client's calls came to.
pub(crate) struct Figures {
    calls: Vec<Call>,
    /// When everything was over.
    now: Duration,
    pub(crate) requests_while_down: u64,
    pub(crate) requests_in_the_worst_second: u32,
    pub(crate) charged_twice: usize,
}

impl Figures {
    pub(crate) fn new(calls: Vec<Call>, books: &Books, now: Duration) -> Self {
        Self {
            calls,
            now,
            requests_while_down: books.requests_while_down,
            requests_in_the_worst_second: books.requests_in_the_worst_second,
            charged_twice: books.charged_twice(),
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn came_to(&self, outcome: Outcome) -> usize {
        self.calls.iter().filter(|call| call.came_to(outcome)).count()
    }

    pub(crate) fn answered(&self) -> usize {
        self.calls.iter().filter(|call| call.is_answered()).count()
    }

    /// Calls without an answer, those that still wait included.
    pub(crate) fn lost(&self) -> usize {
        self.calls() - self.answered()
    }

    /// Answers of an earlier time, and how old the oldest was.
    pub(crate) fn stale(&self) -> (usize, Option<Duration>) {
        let ages = self.calls.iter().filter_map(Call::staleness);
        (ages.clone().count(), ages.max())
    }

    /// How many calls the provider had a good answer for, and how many of them got one.
    ///
    /// More answers than the provider had for a phase's calls are those of a later phase.
    pub(crate) fn could_be_answered(&self) -> (usize, usize) {
        let mut from = Duration::ZERO;
        let mut sum = (0, 0);
        for (phase, seconds) in PHASES {
            let to = from + Duration::from_secs(seconds);
            let calls = self.calls.iter().filter(|call| (from..to).contains(&call.began));
            let (begun, answered) = calls.fold((0, 0), |(begun, answered), call| {
                (begun + 1, answered + usize::from(call.is_answered()))
            });
            let could = begun.min((phase.good_answers() * seconds as f64) as usize);
            sum = (sum.0 + could, sum.1 + answered.min(could));
            from = to;
        }
        sum
    }

    /// From the provider's recovery to the first second of which at least 99 % are answered.
    pub(crate) fn recovered_after(&self) -> Option<Duration> {
        let back = recovery();
        let after: Vec<_> = self.calls.iter().filter(|call| call.began >= back).collect();
        let mut from = back;
        // Every call may be the first of that second.
        for call in &after {
            let second = || after.iter().filter(|call| (from..from + SECOND).contains(&call.began));
            let answered = second().filter(|call| call.is_answered()).count();
            if answered * 100 >= second().count() * 99 && from + SECOND <= TOTAL {
                return Some(from - back);
            }
            // The next second begins behind this call.
            from = call.began + Duration::from_nanos(1);
        }
        None
    }

    /// How long callers waited for nothing: on average, and one in a hundred at least.
    pub(crate) fn waits_in_vain(&self) -> Option<(Duration, Duration)> {
        let vain = self.calls.iter().filter(|call| !call.is_answered());
        let mut waits: Vec<_> = vain.map(|call| call.wait(self.now)).collect();
        waits.sort_unstable();
        let p99 = *waits.get((waits.len() * 99 / 100).min(waits.len().checked_sub(1)?))?;
        Some((waits.iter().sum::<Duration>() / waits.len() as u32, p99))
    }

    /// A second after its recovery a provider counts as well: nobody knows of it before a call tried.
    pub(crate) fn refused_while_well(&self) -> usize {
        let back = recovery();
        let refused = self.calls.iter().filter(|call| call.came_to(Outcome::Refused));
        let well = refused.filter(|call| Phase::at(call.began).is_well());
        well.filter(|call| !(back..back + SECOND).contains(&call.began)).count()
    }

    /// When the last of the calls made before the recovery was answered, from the recovery on.
    pub(crate) fn last_held(&self) -> Option<Duration> {
        let back = recovery();
        let held = self.calls.iter().filter(|call| call.began < back && call.is_answered());
        held.filter_map(|call| call.end).map(|(_, at)| at.saturating_sub(back)).max()
    }
}

const SECOND: Duration = Duration::from_secs(1);
