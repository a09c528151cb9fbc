//! How many calls may be doubled.

use outrigger::Ratio;
use outrigger::event::Event;
use outrigger::outcome::GaveUp;
use outrigger::retry::RetryBudget;
use outrigger::testing::Script;
use tower::Layer;

use super::{Hedged, after, fixed, heard};
use crate::call::{get, status};
use crate::clock::{millis, secs, wait};
use crate::retry::plain;

const SPENT: Event = Event::HedgeSkipped { why: GaveUp::Budget };

#[tokio::test(start_paused = true)]
async fn however_slow_the_provider_is_no_more_are_doubled_than_the_budget_has() {
    for percent in [0, 1, 10, 50] {
        let layer = fixed().budget(RetryBudget::new(Ratio::percent(percent), 0).burst(1));
        let crm = Hedged::by(layer, [after(200, 100)]);
        for _ in 0..1_000 {
            status(&crm.service, get()).await.unwrap();
        }
        // The bucket begins full, so that the first call adds nothing to it.
        let extra = 1 + 999 * percent as usize / 100;
        assert_eq!(crm.provider.begun(), 1_000 + extra, "{percent} %");
        assert_eq!(crm.events.count(|event| *event == SPENT), 1_000 - extra);
        let counts = crm.hedge.counts();
        assert_eq!((counts.sent, counts.skipped), (extra as u64, 1_000 - extra as u64));
    }
}

#[tokio::test(start_paused = true)]
async fn with_little_traffic_there_is_the_floor() {
    let layer = fixed().budget(RetryBudget::new(Ratio::ZERO, 3).burst(0));
    let crm = Hedged::by(layer, [after(200, 100)]);
    for round in 1..=3 {
        for _ in 0..10 {
            status(&crm.service, get()).await.unwrap();
        }
        assert_eq!(crm.provider.begun(), 13 * round);
        wait(secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_is_a_fifth_and_a_floor_of_ten_in_ten_seconds_and_a_full_bucket() {
    let crm = Hedged::by(outrigger::hedge::HedgeLayer::after(millis(50)), [after(200, 100)]);
    for _ in 0..100 {
        status(&crm.service, get()).await.unwrap();
    }
    assert_eq!(crm.provider.begun(), 100 + 20 + 99 / 5 + 10, "in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn retries_and_second_requests_may_share_one_budget() {
    let budget = RetryBudget::new(Ratio::percent(20), 0).burst(1);
    let provider = Script::new([after(503, 100)]);
    let (hedge, events) = heard(fixed().budget(budget.clone()));
    let service = plain().budget(budget).layer(hedge.layer(provider.clone()));
    for _ in 0..1_000 {
        assert_eq!(status(&service, get()).await.unwrap(), 503);
    }
    assert_eq!(provider.begun(), 1_000 + 1 + 999 / 5, "together, and paid in once a call");
    let hedges = events.count(|event| matches!(event, Event::HedgeSent { .. }));
    assert!((1..=200).contains(&hedges), "{hedges}");
}
