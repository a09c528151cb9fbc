//! How far callers who failed together are spread.

use std::collections::HashSet;
use std::time::Duration;

use outrigger::backoff::{Backoff, Jitter};
use outrigger::retry::RetryLayer;
use outrigger::rt::Rng;

use crate::{ALL, AROUND, SPREADING, UPWARDS, delays};

#[test]
fn jitter_uses_the_whole_of_its_range_evenly() {
    let second = Duration::from_secs(1);
    for (jitter, least, most) in [
        (Jitter::Full, 0, 1_000),
        (Jitter::Equal, 500, 1_000),
        (AROUND, 500, 1_500),
        (UPWARDS, 1_000, 1_300),
    ] {
        let backoff = Backoff::exponential(second, second * 2).jitter(jitter);
        let rng = Rng::seeded(1);
        let drawn: Vec<_> =
            (0..10_000).map(|_| backoff.delay(1, Duration::ZERO, &rng).as_millis()).collect();
        for tenth in 0..10 {
            let width = (most - least) / 10;
            let from = least + tenth * width;
            let share = drawn.iter().filter(|delay| (from..from + width).contains(*delay)).count();
            assert!((900..1_100).contains(&share), "{jitter:?}, from {from} ms: {share} of 10,000");
        }
    }
}

#[test]
fn delays_at_the_cap_are_still_spread() {
    let second = Duration::from_secs(1);
    for jitter in SPREADING {
        let backoff = Backoff::exponential(second, second * 10).jitter(jitter);
        let rng = Rng::seeded(3);
        let draw = |_| backoff.delay(30, second * 10, &rng);
        let different: HashSet<_> = (0..100).map(draw).collect();
        assert_eq!(different.len(), 100, "{jitter:?}");
    }
}

/// Whether two hundred callers who failed together come back together, although told to spread.
fn spreads(backoff: &Backoff) -> bool {
    let rng = Rng::seeded(3);
    let draw = |_| backoff.delay(1, Duration::ZERO, &rng);
    (0..200).map(draw).collect::<HashSet<_>>().len() > 100
}

fn is_refused(backoff: &Backoff) -> bool {
    RetryLayer::new().backoff(backoff.clone()).check().is_err()
}

#[test]
fn a_base_that_is_its_own_cap_is_spread_all_the_same() {
    let second = Duration::from_secs(1);
    for jitter in [Jitter::Full, Jitter::Equal, AROUND, UPWARDS] {
        for backoff in [
            Backoff::exponential(second, second),
            Backoff::linear(second, second, second),
            Backoff::fixed(second),
            Backoff::schedule([second]),
        ] {
            assert!(spreads(&backoff.clone().jitter(jitter)), "{backoff:?} {jitter:?}");
        }
    }
}

#[test]
fn a_fixed_delay_is_spread_around_itself_and_a_cap_that_was_set_holds() {
    let second = Duration::from_secs(1);
    let drawn = |backoff: Backoff| {
        let rng = Rng::seeded(3);
        let drawn: Vec<_> =
            (0..1_000).map(|_| backoff.delay(1, Duration::ZERO, &rng).as_millis()).collect();
        (drawn.iter().min().copied().unwrap(), drawn.iter().max().copied().unwrap())
    };
    let fixed = Backoff::fixed(second).jitter(AROUND);
    let (least, most) = drawn(fixed.clone());
    assert!((500..510).contains(&least) && (1_490..=1_500).contains(&most), "{least}, {most}");
    let (least, most) = drawn(fixed.cap(second));
    assert!((333..340).contains(&least) && (990..=1_000).contains(&most), "{least}, {most}");
}

#[test]
fn a_decorrelated_jitter_that_has_no_room_is_refused_or_spread() {
    let second = Duration::from_secs(1);
    for backoff in [
        Backoff::exponential(second, second),
        Backoff::linear(second, second, second),
        Backoff::fixed(second),
        Backoff::schedule([second]),
    ] {
        let backoff = backoff.jitter(Jitter::Decorrelated);
        assert!(is_refused(&backoff) || spreads(&backoff), "always the same: {backoff:?}");
    }
}

#[test]
fn a_schedule_that_begins_at_once_does_not_go_on_at_once_under_any_jitter() {
    for jitter in ALL {
        let backoff = Backoff::schedule([0, 1, 5].map(Duration::from_secs)).jitter(jitter);
        let later = delays(&backoff, 10, &Rng::seeded(3)).split_off(1);
        let waits = later.iter().any(|delay| !delay.is_zero());
        assert!(is_refused(&backoff) || waits, "{jitter:?} never waits");
    }
}
