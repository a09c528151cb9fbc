use std::time::Duration;

use http::Request;
use outrigger::Body;
use outrigger::rate_limit::{Excess, RateLimitLayer};
use tower::{Layer, ServiceExt};

use super::provider::{LIMIT, Limited, Says};

/// What a provider saw of ten thousand calls that were all made at once.
struct Seen {
    refused_late: usize,
    refused: usize,
    rate: f64,
    in_order: bool,
}

async fn ten_thousand(says: Says, learned_after: Duration) -> Seen {
    let provider = Limited::new(says);
    let layer = RateLimitLayer::learning().excess(Excess::Shape).in_flight(16);
    let service = layer.layer(provider.service());
    let calls = (0..10_000).map(|number| {
        let request = Request::get(format!("http://provider.test/{number}")).body(Body::empty());
        crate::clock::spawn(service.clone().oneshot(request.expect("a request")))
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic").expect("an answer");
    }
    let seen = provider.seen();
    let late: Vec<_> = seen.iter().filter(|(at, ..)| *at > learned_after).collect();
    let (first, last) = (late.first().expect("late ones").0, late.last().expect("late ones").0);
    let numbers: Vec<u32> = seen.iter().map(|(_, name, _)| name[1..].parse().unwrap()).collect();
    Seen {
        refused_late: late.iter().filter(|(.., refused)| *refused).count(),
        refused: seen.iter().filter(|(.., refused)| *refused).count(),
        rate: (late.len() - 1) as f64 / (last - first).as_secs_f64(),
        in_order: numbers.is_sorted(),
    }
}

async fn check(says: Says, learned_after: u64) {
    let seen = ten_thousand(says, Duration::from_secs(learned_after)).await;
    println!(
        "{says:?}: {} refused, {} late, {:.2} a second",
        seen.refused, seen.refused_late, seen.rate
    );
    assert_eq!(seen.refused_late, 0, "{says:?}: refused once it had learned");
    assert!(seen.rate >= LIMIT as f64 * 0.95, "{says:?}: {} a second", seen.rate);
    assert!(seen.in_order, "{says:?}: who came first went first");
}

#[tokio::test(start_paused = true)]
async fn learns_from_the_drafts_fields() {
    check(Says::Draft, 1).await;
}

#[tokio::test(start_paused = true)]
async fn learns_from_unix_times() {
    check(Says::Stamps, 2).await;
}

#[tokio::test(start_paused = true)]
async fn learns_from_seconds_that_count_down() {
    check(Says::Seconds, 2).await;
}

#[tokio::test(start_paused = true)]
async fn learns_from_refusals_that_say_for_how_long() {
    check(Says::RetryAfter, 60).await;
}

#[tokio::test(start_paused = true)]
async fn learns_from_refusals_that_say_nothing() {
    check(Says::Nothing, 60).await;
}
