//! When requests go under a limit that was set.

use outrigger::deadline::DeadlineLayer;
use outrigger::event::Event;
use outrigger::outcome::Rejection;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::ReadinessProbe;
use outrigger::{Delivery, ErrorKind};
use tower::Layer;

use super::Limited;
use crate::call::{get, ready, status};
use crate::clock::{begin, millis, secs, timed, wait};

/// Ten a second.
fn ten() -> RateLimitLayer {
    RateLimitLayer::new(10, secs(1))
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_at_once_go_evenly_spaced() {
    for on_limit in [OnLimit::Shape, OnLimit::Reject] {
        let crm = Limited::by(ten().on_limit(on_limit));
        assert_eq!(crm.times(6).await, [0, 100, 200, 300, 400, 500], "{on_limit:?}");
        assert_eq!(crm.limit.interval(), Some(millis(100)));
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_go_at_once_and_the_others_evenly_spaced() {
    let crm = Limited::by(ten().burst(3));
    assert_eq!(crm.times(6).await, [0, 0, 0, 100, 200, 300]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_time_saves_up_a_burst_and_no_more() {
    let crm = Limited::by(ten().burst(3).on_limit(OnLimit::Shape));
    crm.times(3).await;
    wait(secs(60)).await;
    assert_eq!(crm.times(5).await, [60_000, 60_000, 60_000, 60_100, 60_200]);
}

#[tokio::test(start_paused = true)]
async fn over_a_long_stretch_the_rate_is_the_one_that_was_set() {
    let crm = Limited::by(RateLimitLayer::new(50, secs(1)).on_limit(OnLimit::Shape));
    let times = crm.times(5_001).await;
    assert!((99_000..=100_000).contains(times.last().unwrap()), "{:?}", times.last());
    for window in times.windows(52) {
        let length = window[51] - window[0];
        assert!(length >= 1_000, "52 requests in {length} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_slowly_enough_do_not_wait() {
    let crm = Limited::by(ten());
    for _ in 0..20 {
        let (took, code) = timed(crm.call(0)).await;
        assert_eq!((took, code.unwrap()), (secs(0), 200));
        wait(millis(100)).await;
    }
    assert_eq!(crm.events.events(), []);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_leaves_no_time_for_an_attempt_is_refused_at_once() {
    let crm = Limited::by(ten());
    let service = DeadlineLayer::new(millis(500)).layer(crm.service.clone());
    let call = || {
        let service = service.clone();
        begin(async move { timed(status(&service, get())).await })
    };
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(call().await);
    }
    let (took, late) = call().await.await.unwrap();
    let error = late.unwrap_err();
    assert_eq!((took, error.kind()), (secs(0), ErrorKind::Rejected(Rejection::RateLimited)));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert_eq!(error.retry_after(), Some(millis(300)));
    assert_eq!(error.to_string(), "rate limit reached for api.example:443: come back in 300ms");
    assert_eq!(error.elapsed(), Some(secs(0)));
    let mut waits = Vec::new();
    for call in calls {
        let (took, code) = call.await.unwrap();
        assert_eq!(code.unwrap(), 200);
        waits.push(took);
    }
    assert_eq!(waits, [millis(0), millis(100), millis(200)]);
    assert_eq!((crm.limit.rejected(), crm.limit.waiting()), (1, 0));
    let events = [
        Event::RateLimitQueued { wait: millis(100) },
        Event::RateLimitQueued { wait: millis(200) },
        Event::RateLimitRejected { retry_after: Some(millis(300)) },
        Event::RateLimitReleased { waited: millis(100) },
        Event::RateLimitReleased { waited: millis(200) },
    ];
    assert_eq!(crm.events.events(), events);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_limit_for_it() {
    for (limit, refused) in [(millis(201), false), (millis(200), true)] {
        let crm = Limited::by(ten().on_limit(OnLimit::Shape).max_wait(limit));
        let _queue = crm.begin(0..2).await;
        let (took, result) = timed(crm.call(2)).await;
        assert_eq!(result.is_err(), refused, "{limit:?}");
        assert_eq!(took, if refused { millis(0) } else { millis(200) });
    }
}

#[tokio::test(start_paused = true)]
async fn readied_clones_that_are_dropped_take_no_turn() {
    let crm = Limited::by(ten());
    let service = crm.layer.layer(ReadinessProbe::new(crm.provider.clone()));
    for _ in 0..100 {
        let mut clone = service.clone();
        ready(&mut clone).await;
    }
    let (took, code) = timed(status(&service, get())).await;
    assert_eq!((took, code.unwrap()), (millis(0), 200));
    // While one must wait, too, and the inner service is asked when its turn has come.
    let (took, code) = timed(status(&service, get())).await;
    assert_eq!((took, code.unwrap()), (millis(100), 200));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_and_without_learning_nothing_waits() {
    let crm = Limited::by(RateLimitLayer::unlimited());
    assert_eq!(crm.times(1_000).await, [0; 1_000]);
    assert_eq!((crm.limit.interval(), crm.limit.waiting()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn services_of_one_layer_share_the_limit_and_a_changed_layer_has_its_own() {
    let crm = Limited::by(ten());
    let other = crm.layer.clone().layer(crm.provider.clone());
    let apart = crm.layer.clone().burst(1).layer(crm.provider.clone());
    crm.call(0).await.unwrap();
    assert_eq!(timed(status(&other, get())).await.0, millis(100));
    assert_eq!(timed(status(&apart, get())).await.0, millis(0));
}
