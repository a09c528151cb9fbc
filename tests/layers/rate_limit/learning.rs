use std::time::Duration;

use http::Request;
use outrigger::Body;
use outrigger::deadline::DeadlineLayer;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::Answer;
use tower::{Layer, ServiceExt};

use super::provider::{LIMIT, Limited, Says};
use crate::call::{get, status};
use crate::clock::{millis, secs, wait};

/// What a provider saw of ten thousand calls that were all made at once.
struct Seen {
    refused_late: usize,
    refused: usize,
    rate: f64,
    in_order: bool,
}

async fn ten_thousand(says: Says, learned_after: Duration) -> Seen {
    let provider = Limited::new(says);
    let layer = RateLimitLayer::learning().on_limit(OnLimit::Shape).in_flight(16);
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
async fn learns_from_refusals_beside_a_limit_that_is_told() {
    check(Says::AnotherLimit, 60).await;
}

#[tokio::test(start_paused = true)]
async fn learns_from_refusals_that_say_nothing() {
    check(Says::Nothing, 60).await;
}

#[tokio::test(start_paused = true)]
async fn one_refusal_says_nothing_of_the_rate_of_calls_that_are_few() {
    let crm = super::Limited::by(RateLimitLayer::learning());
    let service = DeadlineLayer::new(secs(8)).layer(crm.service.clone());
    for _ in 0..10 {
        assert_eq!(status(&service, get()).await.unwrap(), 200);
        wait(secs(10)).await;
    }
    crm.set(Answer::status(429).header("retry-after", "60"));
    assert_eq!(status(&service, get()).await.unwrap(), 429);
    crm.set(Answer::status(200));
    wait(secs(61)).await;
    for call in 0..10 {
        assert_eq!(status(&service, get()).await.unwrap(), 200, "{call}");
        wait(secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_felt_out_from_a_long_pause_is_no_slower_than_one_a_minute_and_not_for_long() {
    let crm = super::Limited::by(RateLimitLayer::learning().on_limit(OnLimit::Shape));
    crm.call(0).await.unwrap();
    crm.set(Answer::status(429).header("retry-after", "600"));
    crm.call(1).await.unwrap();
    assert_eq!(crm.limit.interval(), Some(secs(60)));
    crm.set(Answer::status(200));
    let _queue = crm.begin(2..1_000).await;
    wait(secs(600 + 1_200)).await;
    assert!(crm.limit.interval().is_some_and(|interval| interval < secs(15)), "{:?}", crm.limit);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_of_a_limit_need_not_go_on_guessing() {
    let crm = super::Limited::by(RateLimitLayer::learning().on_limit(OnLimit::Shape));
    for _ in 0..5 {
        crm.call(0).await.unwrap();
    }
    crm.set(Answer::status(429));
    crm.call(0).await.unwrap();
    let guessed = crm.limit.interval().expect("it guesses");
    assert!(guessed > millis(100), "{guessed:?}");
    crm.set(
        Answer::status(200)
            .header("ratelimit-policy", r#""a";q=100;w=1"#)
            .header("ratelimit", r#""a";r=99;t=1"#),
    );
    crm.call(0).await.unwrap();
    assert_eq!(crm.limit.interval(), Some(Duration::from_micros(10_300)));
}

#[tokio::test(start_paused = true)]
async fn what_was_felt_out_holds_for_as_long_as_was_set() {
    // Until when nothing limits people any more, and until when jobs go as fast as before.
    for (set, over) in [(None, secs(10)), (Some(secs(60)), secs(60))] {
        let layer = RateLimitLayer::learning();
        let layer = set.into_iter().fold(layer, RateLimitLayer::forget_after);
        let crm = super::Limited::by(layer);
        for _ in 0..10 {
            crm.call(0).await.unwrap();
        }
        crm.set(Answer::status(429).header("retry-after", "1"));
        crm.call(0).await.unwrap();
        crm.set(Answer::status(200));
        wait(secs(1)).await;
        let found = crm.limit.interval();
        assert!(found.is_some());
        wait(over - millis(1)).await;
        assert_eq!(crm.limit.interval(), found, "{set:?}");
        wait(millis(1)).await;
        assert_eq!(crm.limit.interval(), None, "{set:?}");
    }
}

/// Two calls and a refusal don't show a rate of two.
#[tokio::test(start_paused = true)]
async fn people_are_not_held_to_a_rate_that_few_requests_show() {
    for (before, is_held) in [(2, false), (9, false), (10, true)] {
        let crm = super::Limited::by(RateLimitLayer::learning().max_wait(millis(500)));
        for _ in 0..before {
            crm.call(0).await.unwrap();
        }
        crm.set(Answer::status(429).header("retry-after", "30"));
        crm.call(0).await.unwrap();
        crm.set(Answer::status(200));
        assert!(crm.call(0).await.is_err(), "no call goes before the end of the pause");
        wait(secs(30)).await;
        let mut refused = 0;
        for _ in 0..50 {
            refused += u32::from(crm.call(0).await.is_err());
            wait(millis(100)).await;
        }
        assert_eq!(refused > 0, is_held, "{refused} after {before} requests");
    }
}
