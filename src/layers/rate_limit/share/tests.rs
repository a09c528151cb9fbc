use proptest::prelude::*;

use super::super::config::RateLimitConfig;
use super::super::resources::Target;
use super::*;

fn share(rate: f64, lasts: Duration, now: Instant) -> RateShare {
    let clock = Clock::system();
    RateShare {
        rate,
        burst: 1.0,
        until: now + lasts,
        until_wall: clock.wall() + lasts,
        clock,
        afterwards: 1.0,
        is_to_rise: false,
        demand: 0.0,
    }
}

/// How many calls go out until `end` if one is always there.
fn taken(bucket: &mut ShareBucket, mut now: Instant, end: Instant) -> u32 {
    let mut taken = 0;
    while bucket.ready_at(now) <= end {
        now = now.max(bucket.ready_at(now));
        if bucket.ready_at(now) > now {
            continue;
        }
        bucket.take(now);
        taken += 1;
    }
    taken
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_share_lets_as_many_through_as_it_says_and_a_hundredth_when_it_has_ended() {
    let now = rt::now();
    let mut bucket = ShareBucket::new(share(100.0, SECOND * 2, now), now);
    assert!((200..=202).contains(&taken(&mut bucket, now, now + SECOND * 2)));
    assert!((9..=11).contains(&taken(&mut bucket, now + SECOND * 2, now + SECOND * 12)));
}

#[test]
fn who_stood_still_past_the_end_has_one_request_and_not_what_it_could_have_sent() {
    let now = rt::now();
    let mut bucket = ShareBucket::new(share(100.0, SECOND * 2, now), now);
    let woken = now + SECOND * 60;
    assert!(taken(&mut bucket, woken, woken + SECOND / 2) <= 2);
}

#[test]
fn a_sleep_that_the_monotonic_clock_did_not_count_ends_it() {
    let now = rt::now();
    let mut bucket = ShareBucket::new(share(100.0, SECOND * 30, now), now);
    bucket.count_sleep(bucket.share.until_wall - SECOND * 10, now);
    assert!(bucket.share.until <= now + SECOND * 10);
    bucket.count_sleep(bucket.share.until_wall + SECOND * 3_600, now);
    assert_eq!(bucket.rate(now), 1.0);
}

#[test]
fn a_wall_clock_that_is_set_back_prolongs_nothing() {
    let now = rt::now();
    let mut bucket = ShareBucket::new(share(100.0, SECOND * 30, now), now);
    bucket.count_sleep(bucket.share.until_wall - SECOND * 3_600, now);
    assert_eq!(bucket.share.until, now + SECOND * 30);
}

#[test]
fn what_the_provider_asks_for_holds_beside_a_share() {
    let now = rt::now();
    let mut schedule = Schedule::new(&RateLimitConfig::default(), now);
    schedule.set_share(Some(share(100.0, SECOND * 30, now)), now);
    let route = Target::Line(http::Method::GET, http::Uri::from_static("/mails")).route();
    assert_eq!(schedule.ready_at(route, now), now);
    schedule.refused(Some(SECOND * 5), None, route, now);
    assert!(schedule.ready_at(route, now) >= now + SECOND * 5);
    assert!(schedule.ready_at(route, now + SECOND * 6) <= now + SECOND * 6);
}

#[test]
fn without_a_rate_nothing_goes_and_another_share_wakes_it() {
    let now = rt::now();
    let mut bucket = ShareBucket::new(share(0.0, SECOND * 30, now), now);
    bucket.take(now);
    assert!(bucket.ready_at(now) > now);
    bucket.change(share(10.0, SECOND * 30, now), now);
    assert_eq!(taken(&mut bucket, now, now + SECOND), 10);
}

#[test]
fn a_call_waits_for_a_share_that_is_to_rise_and_not_for_the_end_of_one_that_is_too_small() {
    let now = rt::now();
    let none = share(0.0, SECOND * 60, now);
    let mut bucket = ShareBucket::new(none, now);
    bucket.take(now);
    assert_eq!(bucket.ready_at(now), now + SECOND * 61);
    bucket.change(RateShare { is_to_rise: true, ..none }, now);
    assert_eq!(bucket.ready_at(now), now + LOOK_AGAIN);
    assert!(bucket.ready_at(now + SECOND * 30) > now + SECOND * 30, "it only looks again");
}

proptest! {
    #[test]
    fn however_often_shares_change_no_more_goes_than_the_sum_of_their_rates(
        shares in prop::collection::vec((0.0..200.0_f64, 1_u64..2_000), 1..60),
    ) {
        let mut now = rt::now();
        let long = SECOND * 3_600;
        let mut bucket = ShareBucket::new(share(shares[0].0, long, now), now);
        let (mut went, mut allowed, mut highest) = (0, 1.0, 0.0_f64);
        for (rate, millis) in shares {
            bucket.change(share(rate, long, now), now);
            let end = now + Duration::from_millis(millis);
            went += taken(&mut bucket, now, end);
            now = end;
            allowed += rate * millis as f64 / 1e3;
            highest = highest.max(rate);
        }
        // A moment is saved up for late timers.
        prop_assert!(f64::from(went) <= allowed + highest * 0.01 + 1e-3, "{went} of {allowed}");
    }
}
