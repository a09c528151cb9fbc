//! What holds for every setting.

use std::time::Duration;

use outrigger::Ratio;
use outrigger::backoff::{Backoff, Jitter};
use outrigger::rt::Rng;
use proptest::prelude::*;

use crate::model::{HOUR, duration, factors, jitter, plan, share};
use crate::{SPREADING, delays};

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn without_jitter_a_delay_is_what_the_model_says(plan in plan(), seed: u64) {
        let delays = delays(&plan.backoff(Jitter::None), 30, &Rng::seeded(seed));
        for (retry, delay) in (1..).zip(delays) {
            let expected = plan.delay(retry);
            prop_assert!(is_about(delay, expected), "{retry}: {delay:?} and not {expected:?}");
        }
    }

    #[test]
    fn full_jitter_stays_between_nothing_and_the_delay(plan in plan(), seed: u64) {
        let delays = delays(&plan.backoff(Jitter::Full), 30, &Rng::seeded(seed));
        for (retry, delay) in (1..).zip(delays) {
            let most = plan.delay(retry) + NANOSECOND;
            prop_assert!(delay <= most, "{retry}: {delay:?} over {most:?}");
        }
    }

    #[test]
    fn equal_jitter_stays_between_half_the_delay_and_the_delay(plan in plan(), seed: u64) {
        let delays = delays(&plan.backoff(Jitter::Equal), 30, &Rng::seeded(seed));
        for (retry, delay) in (1..).zip(delays) {
            let whole = plan.delay(retry);
            let (least, most) = (whole / 2, whole + NANOSECOND);
            prop_assert!(delay + NANOSECOND >= least && delay <= most, "{retry}: {delay:?}");
        }
    }

    #[test]
    fn factors_stay_between_the_lowest_and_the_highest_of_the_delay_and_under_the_cap(
        plan in plan(),
        (low, high) in factors(),
        seed: u64,
    ) {
        let jitter = Jitter::scale(low, high);
        let longest = plan.longest(jitter);
        let delays = delays(&plan.backoff(jitter), 30, &Rng::seeded(seed));
        for (retry, delay) in (1..).zip(delays) {
            let (least, most) = (share(low, plan.delay(retry)), share(high, plan.delay(retry)));
            prop_assert!(delay <= most.min(longest) + NANOSECOND * 3, "{retry}: {delay:?}");
            let is_whole = most <= longest;
            prop_assert!(!is_whole || delay + NANOSECOND * 3 >= least, "{retry}: {delay:?}");
        }
    }

    #[test]
    fn factors_that_would_pass_the_cap_end_at_it_with_the_same_proportions(
        base in duration(),
        (low, high) in factors(),
        seed: u64,
    ) {
        prop_assume!(high > Ratio::ONE);
        // The tenth delay is far over the cap.
        let backoff = Backoff::exponential(base, base).jitter(Jitter::scale(low, high));
        let delay = backoff.delay(10, base, &Rng::seeded(seed));
        let least = base.mul_f64(f64::from(low.millionths()) / f64::from(high.millionths()));
        prop_assert!(delay <= base && delay + NANOSECOND * 3 >= least, "{delay:?} of {base:?}");
    }

    #[test]
    fn decorrelated_jitter_stays_between_the_base_and_three_times_the_delay_before(
        plan in plan(),
        seed: u64,
    ) {
        let (base, cap) = (plan.delay(1), plan.cap());
        let delays = delays(&plan.backoff(Jitter::Decorrelated), 30, &Rng::seeded(seed));
        let mut previous = base;
        for delay in delays {
            let most = previous.max(base).saturating_mul(3).min(cap);
            prop_assert!(delay >= base, "{delay:?} is under the base {base:?}");
            prop_assert!(delay <= most.max(base), "{delay:?} is over {most:?}");
            previous = delay;
        }
    }

    #[test]
    fn no_delay_is_ever_over_the_cap(
        plan in plan(),
        jitter in jitter(),
        cap in duration(),
        retry: u32,
        previous in duration(),
        seed: u64,
    ) {
        let rng = Rng::seeded(seed);
        let own = plan.backoff(jitter);
        prop_assert!(own.delay(retry, previous, &rng) <= plan.longest(jitter));
        // Also one that is set afterwards, under what was planned.
        prop_assert!(own.cap(cap).delay(retry, previous, &rng) <= cap);
    }

    #[test]
    fn settings_that_make_no_sense_still_make_no_delay_over_the_cap(
        base in any::<Duration>(),
        cap in any::<Duration>(),
        step in any::<Duration>(),
        factor in any::<f64>(),
        jitter in prop_oneof![
            jitter(),
            any::<(u32, u32)>().prop_map(|(one, other)| {
                Jitter::scale(Ratio::per_million(one), Ratio::per_million(other))
            }),
        ],
        retry: u32,
        previous in any::<Duration>(),
        seed: u64,
    ) {
        let backoff = Backoff::exponential(base, cap).factor(factor).jitter(jitter);
        let rng = Rng::seeded(seed);
        for retry in [0, 1, 2, retry, u32::MAX] {
            prop_assert!(backoff.delay(retry, previous, &rng) <= cap);
            let linear = Backoff::linear(base, step, cap).jitter(jitter);
            prop_assert!(linear.delay(retry, previous, &rng) <= cap);
            let _ = Backoff::fixed(base).jitter(jitter).delay(retry, previous, &rng);
        }
    }

    #[test]
    fn a_seed_repeats_its_delays(plan in plan(), jitter in jitter(), seed: u64) {
        let backoff = plan.backoff(jitter);
        let again = || delays(&backoff, 10, &Rng::seeded(seed));
        prop_assert_eq!(again(), again());
    }

    #[test]
    fn two_requests_never_get_the_same_delays(
        base in 1_u64..10_000,
        jitter in prop::sample::select(SPREADING.as_slice()),
        seed: u64,
    ) {
        let base = Duration::from_millis(base);
        let backoff = Backoff::exponential(base, base * 100).jitter(jitter);
        // Each request has its own copy of what draws, as services are cloned.
        let rng = Rng::seeded(seed);
        let (first, second) = (rng.clone(), rng);
        prop_assert_ne!(delays(&backoff, 5, &first), delays(&backoff, 5, &second));
    }

    #[test]
    fn delays_that_grow_never_shrink_on_the_way(base in duration(), factor in 1.0_f64..10.0) {
        let backoff = Backoff::exponential(base, HOUR * 24).factor(factor).jitter(Jitter::None);
        let delays = delays(&backoff, 50, &Rng::seeded(0));
        prop_assert!(delays.is_sorted(), "{delays:?}");
        let backoff = Backoff::linear(base, base, HOUR * 24).jitter(Jitter::None);
        let delays = self::delays(&backoff, 50, &Rng::seeded(0));
        prop_assert!(delays.is_sorted(), "{delays:?}");
    }
}

/// Floating point may be a nanosecond off.
fn is_about(delay: Duration, expected: Duration) -> bool {
    delay.abs_diff(expected) <= Duration::from_nanos(1)
}

fn settings() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

const NANOSECOND: Duration = Duration::from_nanos(1);
