use std::time::{Duration, Instant};

use super::limit::{Round, Sample, Signal};
use super::settings::Adaptive;

/// Follows the gradient of the latency, after `Gradient2` of Netflix's concurrency-limits.
///
/// ```text
/// gradient = clamp(tolerance × long / short, 0.5, 1.0)
/// limit    = limit × (1 − smoothing) + (limit × gradient + queue) × smoothing
/// ```
///
/// `short` is the mean time of one window's answers, `long` the exponential average of the windows.
/// Three things are not in the original: an overload lowers the limit as in AIMD; a window over the
/// tolerance has [`SLOW_WINDOW_FACTOR`] times less weight in the average; and slow answers raise the
/// limit only up to a [`Ceiling`], which fast answers set.
#[derive(Debug)]
pub(in super::super) struct Gradient {
    settings: Adaptive,
    limit: f64,
    long: LongTerm,
    ceiling: Ceiling,
    window: Option<Window>,
    round: Round,
}

/// The usual latency, in seconds.
#[derive(Debug, Default)]
struct LongTerm {
    average: f64,
    windows: u32,
}

/// The most calls in flight while answers were as fast as without load.
///
/// Under constant overload, the long average rises slowly, and so would the limit. The ceiling
/// doesn't.
#[derive(Debug, Default)]
struct Ceiling {
    /// The latency without load, in seconds.
    unloaded: f64,
    in_flight: f64,
}

/// The answers of about a second.
#[derive(Debug)]
struct Window {
    since: Instant,
    took: Duration,
    answers: u32,
    max_in_flight: u32,
}

// === impl Gradient ===

impl Gradient {
    pub(super) fn new(settings: Adaptive, begin: u32) -> Self {
        Self {
            settings,
            limit: f64::from(begin),
            long: LongTerm::default(),
            ceiling: Ceiling::default(),
            window: None,
            round: Round::default(),
        }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit as u32
    }

    pub(super) fn learn(&mut self, sample: &Sample) {
        match sample.signal {
            Signal::Overloaded if self.round.is_new(sample) => {
                self.limit = f64::from(self.settings.lowered(self.limit()));
            }
            Signal::Answered => {
                let window = self.window.get_or_insert_with(|| Window::new(sample.ended));
                window.add(sample);
                if window.is_over(sample.ended) {
                    let (short, in_flight) = (window.mean(), window.max_in_flight);
                    self.window = None;
                    self.follow(short, in_flight);
                }
            }
            Signal::Overloaded => {}
        }
    }

    fn follow(&mut self, short: f64, in_flight: u32) {
        let long = self.long.learn(short);
        let is_busy = f64::from(in_flight) * 2.0 >= self.limit;
        let is_healthy = self.ceiling.learn(short, f64::from(in_flight), is_busy);
        if !is_busy {
            // Nothing is known about a limit of which less than half is used.
            return;
        }
        let gradient = (TOLERANCE * long / short).clamp(MIN_GRADIENT, 1.0);
        let next = self.limit * gradient + QUEUE_ALLOWANCE;
        let limit = self.limit * (1.0 - SMOOTHING) + next * SMOOTHING;
        // The ceiling never lowers the limit: slow answers do.
        let most = if is_healthy { limit } else { self.ceiling.max_limit().max(self.limit) };
        let limit = limit.min(most);
        self.limit = limit.clamp(f64::from(self.settings.min), f64::from(self.settings.max));
    }
}

// === impl LongTerm ===

impl LongTerm {
    /// Learns one window, and returns the average with it.
    fn learn(&mut self, short: f64) -> f64 {
        if self.windows < WARM_UP {
            self.windows += 1;
            self.average += (short - self.average) / f64::from(self.windows);
            return self.average;
        }
        let is_slow = short > self.average * TOLERANCE;
        let windows = if is_slow { LONG_WINDOWS * SLOW_WINDOW_FACTOR } else { LONG_WINDOWS };
        self.average += (short - self.average) * 2.0 / (windows + 1.0);
        let average = self.average;
        if average > short * DRIFT_RATIO {
            self.average *= DECAY;
        }
        average
    }
}

// === impl Ceiling ===

impl Ceiling {
    /// Learns one window. Returns whether its answers were as fast as without load.
    ///
    /// If less than half of the limit is used, slow answers aren't caused by load: the latency without
    /// load is learned again.
    fn learn(&mut self, short: f64, in_flight: f64, is_busy: bool) -> bool {
        if self.unloaded == 0.0 || short < self.unloaded {
            self.unloaded = short;
        } else if !is_busy {
            self.unloaded += (short - self.unloaded) * 2.0 / (IDLE_WINDOWS + 1.0);
        }
        let is_healthy = short <= self.unloaded * TOLERANCE;
        if is_healthy {
            self.in_flight = self.in_flight.max(in_flight);
        }
        is_healthy
    }

    /// The highest limit that slow answers may lead to.
    fn max_limit(&self) -> f64 {
        self.in_flight + QUEUE_ALLOWANCE
    }
}

// === impl Window ===

impl Window {
    fn new(since: Instant) -> Self {
        Self { since, took: Duration::ZERO, answers: 0, max_in_flight: 0 }
    }

    fn add(&mut self, sample: &Sample) {
        self.took = self.took.saturating_add(sample.took());
        self.answers += 1;
        self.max_in_flight = self.max_in_flight.max(sample.in_flight);
    }

    fn is_over(&self, now: Instant) -> bool {
        self.answers >= MIN_ANSWERS && now.saturating_duration_since(self.since) >= WINDOW
    }

    /// In seconds; never zero, because it is a divisor.
    fn mean(&self) -> f64 {
        (self.took.as_secs_f64() / f64::from(self.answers)).max(MIN_MEAN)
    }
}

/// Latency may rise by half before the limit is lowered. (As in Gradient2.)
const TOLERANCE: f64 = 1.5;
/// One window lowers the limit by no more than half. (As in Gradient2.)
const MIN_GRADIENT: f64 = 0.5;
/// How far a window may raise the limit, to probe for more. (As in Gradient2.)
const QUEUE_ALLOWANCE: f64 = 4.0;
/// The weight of one window, so that no single one decides. (As in Gradient2.)
const SMOOTHING: f64 = 0.2;
/// How many windows the long average spans: about ten minutes. (As in Gradient2.)
const LONG_WINDOWS: f64 = 600.0;
/// How many of the first windows have equal weight in the average. (As in Gradient2.)
const WARM_UP: u32 = 10;
/// The average decays if it is more than this many times the last window's. (As in Gradient2.)
const DRIFT_RATIO: f64 = 2.0;
/// The factor of that decay. (As in Gradient2.)
const DECAY: f64 = 0.95;
/// At its equilibrium, this limit's answers are slower than the tolerance. Under constant load, such
/// as a backlog of jobs, the average would rise within minutes, and the limit with it.
const SLOW_WINDOW_FACTOR: f64 = 10.0;
/// How many windows of low load the latency without load is averaged over: a minute.
const IDLE_WINDOWS: f64 = 60.0;
/// The length of a window. (That of Netflix's `WindowedLimit`.)
const WINDOW: Duration = Duration::from_secs(1);
/// The fewest answers of a window. (That of Netflix's `WindowedLimit`.)
const MIN_ANSWERS: u32 = 10;
/// The precision of clocks.
const MIN_MEAN: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::super::limit::testing::Calls;
    use super::*;
    use proptest::prelude::*;

    fn machine(begin: u32) -> Gradient {
        Gradient::new(Adaptive::gradient().min(2).max(50), begin)
    }

    /// One window of answers that took so long, with so many under way.
    fn window(gradient: &mut Gradient, calls: &mut Calls, millis: u64, in_flight: u32) {
        for _ in 0..MIN_ANSWERS {
            calls.pass(120);
            gradient.learn(&calls.answered(millis, in_flight));
        }
        assert!(gradient.window.is_none(), "the window is over");
    }

    #[test]
    fn the_limit_follows_the_formula() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        window(&mut gradient, &mut calls, 100, 20);
        // As fast as ever: a fifth of the four that are asked for beyond it.
        assert!((gradient.limit - 20.8).abs() < 1e-9, "{}", gradient.limit);
        window(&mut gradient, &mut calls, 300, 20);
        // The average of 0.1 and 0.3 is 0.2; 1.5 × 0.2 / 0.3 is 1.
        assert!((gradient.limit - 21.6).abs() < 1e-9, "{}", gradient.limit);
        window(&mut gradient, &mut calls, 800, 20);
        // 1.5 × 0.4 / 0.8 is 0.75: 21.6 × 0.8 + (21.6 × 0.75 + 4) × 0.2.
        assert!((gradient.limit - 21.32).abs() < 1e-9, "{}", gradient.limit);
    }

    #[test]
    fn no_window_takes_more_than_half_of_what_it_weighs() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        (0..10).for_each(|_| window(&mut gradient, &mut calls, 100, 2));
        window(&mut gradient, &mut calls, 100_000, 20);
        assert!((gradient.limit - (20.0 * 0.8 + 14.0 * 0.2)).abs() < 1e-9, "{}", gradient.limit);
    }

    #[test]
    fn a_limit_that_is_half_empty_stays() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        (0..50).for_each(|_| window(&mut gradient, &mut calls, 100, 9));
        assert_eq!(gradient.limit(), 20);
        window(&mut gradient, &mut calls, 100, 10);
        assert!(gradient.limit > 20.0);
    }

    #[test]
    fn a_few_answers_or_a_short_while_are_no_window() {
        let (mut gradient, calls) = (machine(20), Calls::new());
        (0..1_000).for_each(|_| gradient.learn(&calls.answered(100, 20)));
        assert_eq!(gradient.limit(), 20, "all at one time");
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        for _ in 0..9 {
            calls.pass(60_000);
            gradient.learn(&calls.answered(100, 20));
        }
        assert_eq!(gradient.limit(), 20, "nine answers");
    }

    #[test]
    fn an_average_from_bad_times_is_drawn_down() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        (0..10).for_each(|_| window(&mut gradient, &mut calls, 1_000, 2));
        (0..20).for_each(|_| window(&mut gradient, &mut calls, 100, 2));
        assert!(gradient.long.average < 0.4, "{}", gradient.long.average);
    }

    #[test]
    fn a_load_that_never_lets_up_does_not_teach_it_within_minutes_that_slow_is_normal() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        (0..10).for_each(|_| window(&mut gradient, &mut calls, 100, 2));
        // Five minutes.
        (0..300).for_each(|_| window(&mut gradient, &mut calls, 200, 2));
        assert!(gradient.long.average < 0.115, "{}", gradient.long.average);
    }

    /// A provider that answers ten at once in 100 ms, and all others after those; so many hours of calls
    /// without end.
    fn saturated(gradient: &mut Gradient, calls: &mut Calls, hours: u32) -> u32 {
        for _ in 0..hours * 3_600 / 2 {
            let in_flight = gradient.limit();
            let millis = 100.0 * (f64::from(in_flight) / 10.0).max(1.0);
            window(gradient, calls, millis as u64, in_flight);
        }
        gradient.limit()
    }

    #[test]
    fn a_load_that_never_lets_up_does_not_raise_the_limit_however_long_it_lasts() {
        let (mut gradient, mut calls) = (machine(5), Calls::new());
        let settled = saturated(&mut gradient, &mut calls, 1);
        assert!((15..=22).contains(&settled), "{settled}");
        let days = saturated(&mut gradient, &mut calls, 72);
        assert!(days <= settled + 1, "{settled} to {days}");
    }

    #[test]
    fn a_provider_that_takes_more_than_it_did_is_given_more() {
        let (mut gradient, mut calls) = (machine(5), Calls::new());
        let settled = saturated(&mut gradient, &mut calls, 10);
        // As fast as ever, with as many as the limit allows.
        for _ in 0..60 {
            let in_flight = gradient.limit();
            window(&mut gradient, &mut calls, 100, in_flight);
        }
        assert!(gradient.limit() > settled + 10, "{settled} to {}", gradient.limit());
    }

    #[test]
    fn what_an_answer_takes_without_load_is_learned_anew_while_there_is_little() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        (0..20).for_each(|_| window(&mut gradient, &mut calls, 100, 10));
        let limit = gradient.limit();
        // Slower for good, and half empty; then as busy as before, and no slower.
        (0..3_000).for_each(|_| window(&mut gradient, &mut calls, 400, 2));
        (0..30).for_each(|_| {
            let in_flight = gradient.limit();
            window(&mut gradient, &mut calls, 400, in_flight);
        });
        assert!(gradient.limit() > limit + 5, "{limit} to {}", gradient.limit());
    }

    #[test]
    fn an_overload_takes_a_tenth_at_once() {
        let (mut gradient, mut calls) = (machine(20), Calls::new());
        gradient.learn(&calls.overloaded(100, 20));
        assert_eq!(gradient.limit(), 18);
    }

    proptest! {
        #[test]
        fn the_limit_keeps_its_bounds_whatever_it_sees(
            begin in 2_u32..=50,
            steps in proptest::collection::vec((0_u8..10, 0_u64..5_000, 0_u32..100), 0..1_000),
        ) {
            let (mut gradient, mut calls) = (machine(begin), Calls::new());
            for (kind, millis, in_flight) in steps {
                let before = gradient.limit;
                calls.pass(millis / 4);
                let sample = match kind {
                    0 => calls.overloaded(millis, in_flight),
                    _ => calls.answered(millis, in_flight),
                };
                gradient.learn(&sample);
                prop_assert!((2.0..=50.0).contains(&gradient.limit));
                let most = before + QUEUE_ALLOWANCE * SMOOTHING + 1e-9;
                prop_assert!(gradient.limit <= most, "{before} to {}", gradient.limit);
            }
        }
    }
}
