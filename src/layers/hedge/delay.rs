use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::settings::Ratio;

/// How long the first request may take before a second goes out: a quantile of what first requests
/// have taken lately.
///
/// Times fall into buckets that are 9 % wide. Two sets of them take turns, so that what counts is a
/// minute or two old at most; `now` and times go in, a delay comes out.
#[derive(Debug)]
pub(super) struct Learned {
    quantile: Ratio,
    /// The delay in nanoseconds; [`UNKNOWN`] as long as too little is known.
    delay: AtomicU64,
    counted: AtomicU32,
    histograms: [Histogram; 2],
    turn: Mutex<Turn>,
}

#[derive(Debug)]
struct Histogram(Box<[AtomicU32]>);

/// Which of the two is written to, and since when.
#[derive(Debug)]
struct Turn {
    since: Instant,
    current: usize,
}

impl Learned {
    pub(super) fn new(quantile: Ratio, now: Instant) -> Self {
        Self {
            quantile,
            delay: AtomicU64::new(UNKNOWN),
            counted: AtomicU32::new(0),
            histograms: [Histogram::new(), Histogram::new()],
            turn: Mutex::new(Turn { since: now, current: 0 }),
        }
    }

    pub(super) fn delay(&self) -> Option<Duration> {
        match self.delay.load(Ordering::Relaxed) {
            UNKNOWN => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// A first request took so long, or at least so long.
    pub(super) fn record(&self, took: Duration, now: Instant) {
        for histogram in &self.histograms {
            // Written to both: the one that is cleared next has always seen a whole turn.
            histogram.add(took);
        }
        let counted = self.counted.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if counted.is_multiple_of(REVIEW) {
            self.review(now);
        }
    }

    fn review(&self, now: Instant) {
        // Where two meet, one review is enough.
        let Ok(mut turn) = self.turn.try_lock() else { return };
        if now.saturating_duration_since(turn.since) >= TURN {
            turn.current = 1 - turn.current;
            turn.since = now;
            self.histograms[1 - turn.current].clear();
        }
        let delay = self.histograms[turn.current].quantile(self.quantile);
        self.delay.store(delay.map_or(UNKNOWN, nanos), Ordering::Relaxed);
    }
}

impl Histogram {
    fn new() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU32::new(0)).collect())
    }

    fn add(&self, took: Duration) {
        self.0[bucket(took)].fetch_add(1, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// The lower end of the quantile's 95 % confidence interval.
    ///
    /// Of `n` draws about `nq ± 2√(nq(1 − q))` lie under the quantile `q` (the normal approximation
    /// of the binomial distribution). Where 5 % of the answers are slow, the p95 of a sample falls
    /// among the slow ones half of the time; its lower end hardly ever does. Being early costs a
    /// part of the budget, being late costs the caller.
    fn quantile(&self, quantile: Ratio) -> Option<Duration> {
        let counts = self.0.iter().map(|count| u64::from(count.load(Ordering::Relaxed)));
        let total: u64 = counts.clone().sum();
        if total < ENOUGH {
            return None;
        }
        let (n, q) = (total as f64, quantile.fraction());
        let rank = n * q - 2.0 * (n * q * (1.0 - q)).sqrt();
        let mut below = 0;
        for (at, count) in counts.enumerate() {
            below += count;
            if below as f64 >= rank.max(1.0) {
                return Some(upper_end(at));
            }
        }
        None
    }
}

/// Eight to an octave, from a quarter of a millisecond on.
fn bucket(took: Duration) -> usize {
    let octaves = (took.as_secs_f64() / SHORTEST).log2().max(0.0);
    ((octaves * PER_OCTAVE) as usize).min(BUCKETS - 1)
}

fn upper_end(bucket: usize) -> Duration {
    Duration::from_secs_f64(SHORTEST * ((bucket + 1) as f64 / PER_OCTAVE).exp2())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(UNKNOWN - 1)
}

const UNKNOWN: u64 = u64::MAX;
/// In seconds.
const SHORTEST: f64 = 0.000_25;
const PER_OCTAVE: f64 = 8.0;
/// Twenty octaves: up to four minutes.
const BUCKETS: usize = 160;
/// A p95 of fewer is a guess.
const ENOUGH: u64 = 100;
/// How many requests there are between two looks.
const REVIEW: u32 = 20;
/// How long one set is written to before the other is cleared.
const TURN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt;

    fn fill(learned: &Learned, times: impl IntoIterator<Item = u64>) {
        let now = rt::now();
        times.into_iter().for_each(|millis| learned.record(Duration::from_millis(millis), now));
    }

    #[test]
    fn too_few_requests_tell_nothing() {
        let learned = Learned::new(Ratio::percent(95), rt::now());
        fill(&learned, (0..80).map(|_| 10));
        assert_eq!(learned.delay(), None);
    }

    #[test]
    fn one_slow_answer_in_twenty_is_not_waited_for() {
        let learned = Learned::new(Ratio::percent(95), rt::now());
        fill(&learned, (0..2_000).map(|at| if at % 20 == 0 { 1_000 } else { 20 }));
        let delay = learned.delay().expect("enough is known");
        assert!((20..25).contains(&delay.as_millis()), "{delay:?}");
    }

    #[test]
    fn where_all_are_slow_so_is_the_delay() {
        let learned = Learned::new(Ratio::percent(95), rt::now());
        fill(&learned, (0..2_000).map(|_| 1_000));
        assert!(learned.delay().is_some_and(|delay| delay >= Duration::from_secs(1)));
    }

    #[test]
    fn what_is_older_than_two_turns_is_forgotten() {
        let began = rt::now();
        let learned = Learned::new(Ratio::percent(95), began);
        for turn in 0..4 {
            let now = began + TURN * turn;
            let millis = if turn == 0 { 5_000 } else { 10 };
            (0..200).for_each(|_| learned.record(Duration::from_millis(millis), now));
        }
        assert!(learned.delay().is_some_and(|delay| delay < Duration::from_millis(15)));
    }
}
