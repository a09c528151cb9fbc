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
        let layer = fixed().budget(RetryBudget::new(Ratio::percent(percent), 0));
        let crm = Hedged::by(layer, [after(200, 100)]);
        for _ in 0..1_000 {
            status(&crm.service, get()).await.unwrap();
        }
        let extra = 10 * percent as usize;
        assert_eq!(crm.provider.begun(), 1_000 + extra, "{percent} %");
        assert_eq!(crm.events.count(|event| *event == SPENT), 1_000 - extra);
        let counts = crm.hedge.counts();
        assert_eq!((counts.sent, counts.skipped), (extra as u64, 1_000 - extra as u64));
    }
}

#[tokio::test(start_paused = true)]
async fn with_little_traffic_there_is_the_floor() {
    let layer = fixed().budget(RetryBudget::new(Ratio::ZERO, 3));
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
async fn the_default_is_a_tenth_and_a_floor_of_three_in_ten_seconds() {
    let crm = Hedged::by(outrigger::hedge::HedgeLayer::after(millis(50)), [after(200, 100)]);
    for _ in 0..100 {
        status(&crm.service, get()).await.unwrap();
    }
    assert_eq!(crm.provider.begun(), 100 + 10 + 3, "in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn retries_and_second_requests_may_share_one_budget() {
    let budget = RetryBudget::new(Ratio::percent(20), 0);
    let provider = Script::new([after(503, 100)]);
    let (hedge, events) = heard(fixed().budget(budget.clone()));
    let service = plain().budget(budget).layer(hedge.layer(provider.clone()));
    for _ in 0..1_000 {
        assert_eq!(status(&service, get()).await.unwrap(), 503);
    }
    assert_eq!(provider.begun(), 1_200, "together, and paid in once a call");
    let hedges = events.count(|event| matches!(event, Event::HedgeSent { .. }));
    assert!((1..=200).contains(&hedges), "{hedges}");
}
