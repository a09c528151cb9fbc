use std::time::Duration;

use super::config::{MAX_CALLS, WindowSize};
use crate::rt::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// The results of the last seconds or the last calls, kept in atomics.
#[derive(Debug)]
pub(super) enum Window {
    Time { width: u64, newest: AtomicU64, buckets: Box<[AtomicU64]> },
    Calls { next: AtomicU64, ring: Box<[AtomicU8]>, failed: AtomicU32, slow: AtomicU32 },
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: u32,
    pub(super) failed: u32,
    pub(super) slow: u32,
}

/// One result, as a window counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WindowSample {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// One step of a time window: three counts, packed into one `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    total: u32,
    failed: u32,
    slow: u32,
}

// === impl Window ===

impl Window {
    pub(super) fn new(size: WindowSize) -> Self {
        match size {
            WindowSize::Time(length) => Self::Time {
                width: nanos(length).div_ceil(BUCKETS).max(1),
                newest: AtomicU64::new(0),
                buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            },
            WindowSize::Calls(calls) => Self::Calls {
                next: AtomicU64::new(0),
                ring: (0..calls.clamp(1, MAX_CALLS)).map(|_| AtomicU8::new(0)).collect(),
                failed: AtomicU32::new(0),
                slow: AtomicU32::new(0),
            },
        }
    }

    /// Counts one result; `now` is the time since the breaker was made.
    pub(super) fn record(&self, now: Duration, sample: WindowSample) {
        match self {
            Self::Time { width, newest, buckets } => {
                let tick = nanos(now) / width;
                if tick.saturating_add(BUCKETS) <= newest.load(Ordering::Relaxed) {
                    // It happened longer ago than the window holds.
                    return;
                }
                advance(newest, buckets, tick);
                let bucket = &buckets[(tick % BUCKETS) as usize];
                let add = |packed| Some(Bucket::from_packed(packed).plus(sample).to_packed());
                let _ = bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
            }
            Self::Calls { next, ring, failed, slow } => {
                let at = next.fetch_add(1, Ordering::Relaxed) % ring.len() as u64;
                let old = WindowSample::from_bits(
                    ring[at as usize].swap(sample.to_bits(), Ordering::Relaxed),
                );
                // The counts wrap between two adjustments that cross, and are right after both.
                failed.fetch_add(change(old.failed, sample.failed), Ordering::Relaxed);
                slow.fetch_add(change(old.slow, sample.slow), Ordering::Relaxed);
            }
        }
    }

    pub(super) fn counts(&self, now: Duration) -> Counts {
        match self {
            Self::Time { width, newest, buckets } => {
                advance(newest, buckets, nanos(now) / width);
                let buckets = buckets
                    .iter()
                    .map(|packed| Bucket::from_packed(packed.load(Ordering::Relaxed)));
                buckets.fold(Counts::default(), Counts::plus)
            }
            Self::Calls { next, ring, failed, slow } => Counts {
                total: next.load(Ordering::Relaxed).min(ring.len() as u64) as u32,
                failed: failed.load(Ordering::Relaxed).min(ring.len() as u32),
                slow: slow.load(Ordering::Relaxed).min(ring.len() as u32),
            },
        }
    }

    pub(super) fn clear(&self) {
        match self {
            Self::Time { buckets, .. } => {
                buckets.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
            }
            Self::Calls { next, ring, failed, slow } => {
                ring.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
                failed.store(0, Ordering::Relaxed);
                slow.store(0, Ordering::Relaxed);
                next.store(0, Ordering::Relaxed);
            }
        }
    }
}

/// Empties the steps that have ended since the last call.
///
/// Threads that come at once each empty all of them before the newest step moves on, so results
/// older than the window are never counted. What another thread adds in that instant may be lost.
fn advance(newest: &AtomicU64, buckets: &[AtomicU64], tick: u64) {
    let before = newest.load(Ordering::Acquire);
    if tick <= before {
        return;
    }
    let passed = (before + 1).max(tick.saturating_sub(BUCKETS - 1))..=tick;
    passed.for_each(|step| buckets[(step % BUCKETS) as usize].store(0, Ordering::Relaxed));
    newest.fetch_max(tick, Ordering::Release);
}

// === impl Bucket ===

impl Bucket {
    fn plus(mut self, sample: WindowSample) -> Self {
        if self.total == MAX_COUNT {
            // Full: half of each keeps the rates.
            let Self { total, failed, slow } = self;
            self = Self { total: total / 2, failed: failed / 2, slow: slow / 2 };
        }
        self.total += 1;
        self.failed += u32::from(sample.failed);
        self.slow += u32::from(sample.slow);
        self
    }

    fn from_packed(packed: u64) -> Self {
        let part = |at: u32| (packed >> at) as u32 & MAX_COUNT;
        Self { total: part(2 * WIDTH), failed: part(WIDTH), slow: part(0) }
    }

    fn to_packed(self) -> u64 {
        let Self { total, failed, slow } = self;
        u64::from(total) << (2 * WIDTH) | u64::from(failed) << WIDTH | u64::from(slow)
    }
}

impl Counts {
    fn plus(self, bucket: Bucket) -> Self {
        Self {
            total: self.total + bucket.total,
            failed: self.failed + bucket.failed,
            slow: self.slow + bucket.slow,
        }
    }
}

impl WindowSample {
    fn to_bits(self) -> u8 {
        u8::from(self.failed) | u8::from(self.slow) << 1
    }

    fn from_bits(bits: u8) -> Self {
        Self { failed: bits & 1 != 0, slow: bits & 2 != 0 }
    }
}

fn change(old: bool, new: bool) -> u32 {
    u32::from(new).wrapping_sub(u32::from(old))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Steps of a time window, which is exact to one of them. Loom can't try every order of many.
const BUCKETS: u64 = if cfg!(all(test, outrigger_loom)) { 2 } else { 32 };
/// The bits of a count; three counts fit a `u64`.
const WIDTH: u32 = 21;
/// A step's counts are halved when its total reaches this.
const MAX_COUNT: u32 = (1 << WIDTH) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_of_calls_holds_exactly_the_last_ones(
            size in 1_u32..40,
            samples in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..200),
        ) {
            let window = Window::new(WindowSize::Calls(size));
            let samples: Vec<_> = samples.into_iter().map(|(failed, slow)| WindowSample { failed, slow }).collect();
            for sample in &samples {
                window.record(Duration::ZERO, *sample);
            }
            let last = &samples[samples.len().saturating_sub(size as usize)..];
            let count = |of: fn(&WindowSample) -> bool| last.iter().filter(|sample| of(sample)).count() as u32;
            let expected = Counts {
                total: last.len() as u32,
                failed: count(|sample| sample.failed),
                slow: count(|sample| sample.slow),
            };
            prop_assert_eq!(window.counts(Duration::ZERO), expected);
        }

        #[test]
        fn a_window_of_time_holds_its_length_to_one_step(
            steps in proptest::collection::vec((gap(), any::<bool>()), 1..200),
        ) {
            let length = Duration::from_secs(32);
            let step = Duration::from_secs(1);
            let window = Window::new(WindowSize::Time(length));
            let mut now = Duration::from_secs(5);
            let mut seen = Vec::new();
            for (millis, failed) in steps {
                now += Duration::from_millis(millis);
                window.record(now, WindowSample { failed, slow: false });
                seen.push((now, failed));
                let counts = window.counts(now);
                let within = |age: Duration| seen.iter().filter(|(at, _)| now - *at < age).count() as u32;
                prop_assert!(counts.total <= within(length));
                prop_assert!(counts.total >= within(length - step));
                let failures = |age: Duration| {
                    seen.iter().filter(|(at, failed)| *failed && now - *at < age).count() as u32
                };
                prop_assert!((failures(length - step)..=failures(length)).contains(&counts.failed));
            }
        }
    }

    /// Mostly a part of the window, at times years.
    fn gap() -> impl Strategy<Value = u64> {
        prop_oneof![8 => 0_u64..2_000, 1 => 0_u64..200_000_000_000]
    }

    #[test]
    fn a_result_older_than_the_window_is_left_out() {
        let window = Window::new(WindowSize::Time(Duration::from_secs(32)));
        window.record(Duration::from_secs(100), WindowSample::default());
        window.record(Duration::from_secs(68), WindowSample { failed: true, slow: false });
        assert_eq!(window.counts(Duration::from_secs(100)).failed, 0);
        window.record(Duration::from_secs(69), WindowSample { failed: true, slow: false });
        assert_eq!(window.counts(Duration::from_secs(100)).failed, 1);
    }

    #[test]
    fn a_failure_of_hours_ago_does_not_come_back() {
        // Steps are told apart however many have passed.
        let window = Window::new(WindowSize::Time(Duration::from_secs(30)));
        (0..9).for_each(|_| {
            window.record(Duration::ZERO, WindowSample { failed: true, slow: false });
        });
        let later = Duration::from_secs(61_440);
        window.record(later, WindowSample { failed: true, slow: false });
        assert_eq!(window.counts(later).failed, 1);
    }

    #[test]
    fn a_full_step_keeps_its_rate() {
        let window = Window::new(WindowSize::Time(Duration::from_secs(32)));
        for call in 0..2_200_000_u32 {
            window.record(Duration::ZERO, WindowSample { failed: call % 4 == 0, slow: false });
        }
        let counts = window.counts(Duration::ZERO);
        let rate = f64::from(counts.failed) / f64::from(counts.total);
        assert!((0.24..0.26).contains(&rate), "{rate}");
    }

    #[test]
    fn an_old_step_is_not_taken_for_a_new_one() {
        let window = Window::new(WindowSize::Time(Duration::from_secs(32)));
        window.record(Duration::from_secs(1), WindowSample { failed: true, slow: false });
        assert_eq!(window.counts(Duration::from_secs(32)).failed, 1);
        assert_eq!(window.counts(Duration::from_secs(33)), Counts::default());
        assert_eq!(window.counts(Duration::from_secs(3_300)), Counts::default());
    }
}
