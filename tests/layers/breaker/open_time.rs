//! How long it stays open, and what it says meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use outrigger::event::BreakerState::{Closed, Open};
use outrigger::outcome::Rejection;
use outrigger::rt::Rng;
use outrigger::testing::{Answer, ReadinessProbe};
use outrigger::{Delivery, ErrorKind, Ratio};
use tower::Layer;

use super::{Guarded, by_rate};
use crate::call::{get, status};
use crate::clock::{millis, secs, wait};
use crate::provider::Provider;

impl Guarded {
    /// How long callers are told to stay away.
    async fn told(&self) -> Duration {
        self.call().await.unwrap_err().retry_after().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn the_open_time_doubles_up_to_its_cap_while_probes_fail() {
    let crm = Guarded::by(by_rate(10, 50, 1).probes(1, 1).open_for(secs(5), secs(60)));
    let mut told = Vec::new();
    for _ in 0..6 {
        crm.fail(1).await;
        let time = crm.told().await;
        told.push(time.as_secs());
        wait(time).await;
    }
    assert_eq!(told, [5, 10, 20, 40, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn the_open_time_begins_anew_once_it_was_closed() {
    let crm = Guarded::by(by_rate(10, 50, 1).probes(1, 1));
    for _ in 0..3 {
        crm.fail_and_wait().await;
    }
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
    crm.fail(1).await;
    assert_eq!(crm.told().await, secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_growth_is_a_setting() {
    for (growth, second) in [(1.0, 5), (3.0, 15)] {
        let crm = Guarded::by(by_rate(10, 50, 1).probes(1, 1).open_growth(growth));
        crm.fail_and_wait().await;
        crm.fail(1).await;
        assert_eq!(crm.told().await, secs(second));
    }
}

#[tokio::test(start_paused = true)]
async fn the_open_time_is_spread_to_both_sides() {
    let rng = Rng::seeded(1);
    let mut times = HashSet::new();
    for _ in 0..200 {
        let layer = by_rate(10, 50, 1).open_jitter(Ratio::percent(50)).rng(rng.clone());
        let crm = Guarded::by(layer);
        crm.fail(1).await;
        times.insert(crm.told().await);
    }
    assert!(times.len() > 190, "{} different times of 200", times.len());
    assert!(times.iter().all(|time| (millis(2_500)..=millis(7_500)).contains(time)));
    let sooner = times.iter().filter(|time| **time < secs(5)).count();
    assert!((60..=140).contains(&sooner), "{sooner} of 200 below the base");
}

#[tokio::test(start_paused = true)]
async fn open_times_at_the_cap_are_spread_too_and_under_it() {
    let rng = Rng::seeded(1);
    let mut times = HashSet::new();
    for _ in 0..200 {
        let layer = by_rate(10, 50, 1).open_for(secs(60), secs(60));
        let crm = Guarded::by(layer.open_jitter(Ratio::percent(50)).rng(rng.clone()));
        crm.fail(1).await;
        let time = crm.told().await;
        assert!((secs(30)..=secs(60)).contains(&time), "{time:?}");
        times.insert(time);
    }
    assert!(times.len() > 190, "{} different times of 200", times.len());
}

#[tokio::test(start_paused = true)]
async fn a_longer_retry_after_wins() {
    let crm = Guarded::by(by_rate(10, 50, 1));
    crm.calls(1, Answer::status(500).header("retry-after", "42")).await;
    assert_eq!(crm.told().await, secs(42));
    wait(secs(41)).await;
    assert!(crm.call().await.is_err());
    wait(secs(1)).await;
    crm.provider.set(Answer::status(200));
    assert!(crm.call().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_may_be_open_for_good_however_far_that_is_spread() {
    let layer = by_rate(10, 50, 1).open_for(Duration::MAX, Duration::MAX);
    for jitter in [Ratio::ZERO, Ratio::percent(50), Ratio::ONE] {
        let layer = layer.clone().open_jitter(jitter);
        layer.check().unwrap();
        let crm = Guarded::by(layer);
        crm.fail(1).await;
        assert_eq!(crm.state(), Open);
        assert!(crm.call().await.unwrap_err().is_rejected());
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_retry_after_does_not() {
    let crm = Guarded::by(by_rate(10, 50, 1));
    crm.calls(1, Answer::status(500).header("retry-after", "1")).await;
    assert_eq!(crm.told().await, secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_years_is_cut_to_its_cap() {
    let crm = Guarded::by(by_rate(10, 50, 1).retry_after_cap(secs(120)));
    crm.calls(1, Answer::status(500).header("retry-after", "99999999")).await;
    assert_eq!(crm.told().await, secs(120));
}

#[tokio::test(start_paused = true)]
async fn a_probes_retry_after_is_heard_too() {
    let crm = Guarded::by(by_rate(10, 50, 1).probes(1, 1));
    crm.fail_and_wait().await;
    crm.calls(1, Answer::status(429).header("retry-after", "90")).await;
    assert_eq!((crm.state(), crm.told().await), (Open, secs(90)));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_that_nothing_was_sent_and_when_to_come_back() {
    let crm = Guarded::by(by_rate(10, 50, 1));
    crm.fail(1).await;
    wait(secs(2)).await;
    let error = crm.call().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert_eq!(error.retry_after(), Some(secs(3)));
    assert_eq!(
        error.to_string(),
        "crm: circuit breaker open for api.example:443: too many calls failed, 2.0s ago; the next try is in 3.0s"
    );
    assert_eq!(error.integration(), Some("crm"));
    assert_eq!(crm.provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_open_one_leaves_the_inner_service_alone() {
    let layer = by_rate(10, 50, 1);
    let provider = Provider::new(Answer::status(500));
    let inner = ReadinessProbe::new(provider);
    // The probe's figures are of all its clones; this one stays outside.
    let watch = inner.clone();
    let service = layer.layer(inner);
    assert_eq!(status(&service, get()).await.unwrap(), 500);
    let before = watch.polls();
    watch.set_ready(false);
    for _ in 0..10 {
        assert!(status(&service, get()).await.unwrap_err().is_rejected());
    }
    assert_eq!(watch.polls(), before);
}
