use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::settings::Ratio;

/// The delay before a second request: a quantile of the recent latencies of first requests.
///
/// Latencies are counted in buckets that are 9 % wide. Two histograms alternate, so that what counts
/// is at most two minutes old.
#[derive(Debug)]
pub(super) struct LatencyQuantile {
    quantile: Ratio,
    /// The delay in nanoseconds; [`UNKNOWN`] as long as too little is known.
    delay: AtomicU64,
    counted: AtomicU32,
    histograms: [Histogram; 2],
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Histogram(Box<[AtomicU32]>);

/// Which of the two histograms is read, and since when.
#[derive(Debug)]
struct Current {
    since: Instant,
    index: usize,
}

impl LatencyQuantile {
    pub(super) fn new(quantile: Ratio, now: Instant) -> Self {
        Self {
            quantile,
            delay: AtomicU64::new(UNKNOWN),
            counted: AtomicU32::new(0),
            histograms: [Histogram::new(), Histogram::new()],
            current: Mutex::new(Current { since: now, index: 0 }),
        }
    }

    pub(super) fn delay(&self) -> Option<Duration> {
        match self.delay.load(Ordering::Relaxed) {
            UNKNOWN => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// Counts a first request's latency, or a lower bound of it.
    pub(super) fn record(&self, took: Duration, now: Instant) {
        for histogram in &self.histograms {
            // Both count, so that the one that is read next holds at least a whole period.
            histogram.add(took);
        }
        let counted = self.counted.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if counted.is_multiple_of(UPDATE_EVERY) {
            self.update_delay(now);
        }
    }

    fn update_delay(&self, now: Instant) {
        // Another thread is updating the delay.
        let Ok(mut current) = self.current.try_lock() else { return };
        if now.saturating_duration_since(current.since) >= ROTATION_PERIOD {
            current.index = 1 - current.index;
            current.since = now;
            self.histograms[1 - current.index].clear();
        }
        let delay = self.histograms[current.index].quantile(self.quantile);
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
    /// Of `n` samples about `nq ± 2√(nq(1 − q))` lie under the quantile `q` (the normal approximation
    /// of the binomial distribution). If 5 % of the answers are slow, the p95 of a sample is one of the
    /// slow ones half of the time; the lower end of its interval hardly ever is. An early second request
    /// costs budget, a late one costs the caller time.
    fn quantile(&self, quantile: Ratio) -> Option<Duration> {
        let counts = self.0.iter().map(|count| u64::from(count.load(Ordering::Relaxed)));
        let total: u64 = counts.clone().sum();
        if total < MIN_SAMPLES {
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

/// The bucket's index: eight for each doubling, from a quarter of a millisecond on.
fn bucket(took: Duration) -> usize {
    let octaves = (took.as_secs_f64() / MIN_SECONDS).log2().max(0.0);
    ((octaves * PER_OCTAVE) as usize).min(BUCKETS - 1)
}

fn upper_end(bucket: usize) -> Duration {
    Duration::from_secs_f64(MIN_SECONDS * ((bucket + 1) as f64 / PER_OCTAVE).exp2())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(UNKNOWN - 1)
}

const UNKNOWN: u64 = u64::MAX;
/// In seconds.
const MIN_SECONDS: f64 = 0.000_25;
const PER_OCTAVE: f64 = 8.0;
/// Twenty doublings: up to four minutes.
const BUCKETS: usize = 160;
/// With fewer, a p95 is not reliable.
const MIN_SAMPLES: u64 = 100;
/// The delay is computed once for so many requests.
const UPDATE_EVERY: u32 = 20;
/// How long a histogram is read before the other replaces it.
const ROTATION_PERIOD: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt;

    fn fill(latencies: &LatencyQuantile, times: impl IntoIterator<Item = u64>) {
        let now = rt::now();
        times.into_iter().for_each(|millis| latencies.record(Duration::from_millis(millis), now));
    }

    #[test]
    fn too_few_requests_tell_nothing() {
        let latencies = LatencyQuantile::new(Ratio::percent(95), rt::now());
        fill(&latencies, (0..80).map(|_| 10));
        assert_eq!(latencies.delay(), None);
    }

    #[test]
    fn one_slow_answer_in_twenty_is_not_waited_for() {
        let latencies = LatencyQuantile::new(Ratio::percent(95), rt::now());
        fill(&latencies, (0..2_000).map(|at| if at % 20 == 0 { 1_000 } else { 20 }));
        let delay = latencies.delay().expect("enough is known");
        assert!((20..25).contains(&delay.as_millis()), "{delay:?}");
    }

    #[test]
    fn where_all_are_slow_so_is_the_delay() {
        let latencies = LatencyQuantile::new(Ratio::percent(95), rt::now());
        fill(&latencies, (0..2_000).map(|_| 1_000));
        assert!(latencies.delay().is_some_and(|delay| delay >= Duration::from_secs(1)));
    }

    #[test]
    fn what_is_older_than_two_turns_is_forgotten() {
        let began = rt::now();
        let latencies = LatencyQuantile::new(Ratio::percent(95), began);
        for turn in 0..4 {
            let now = began + ROTATION_PERIOD * turn;
            let millis = if turn == 0 { 5_000 } else { 10 };
            (0..200).for_each(|_| latencies.record(Duration::from_millis(millis), now));
        }
        assert!(latencies.delay().is_some_and(|delay| delay < Duration::from_millis(15)));
    }
}
