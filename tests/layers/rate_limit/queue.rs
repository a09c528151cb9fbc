//! Who waits for a turn, and in what order.

use std::pin::Pin;

use futures_util::FutureExt;
use outrigger::deadline::DeadlineLayer;
use outrigger::outcome::Rejection;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::{Delivery, Error, ErrorKind};
use tower::{Layer, Service};

use super::Limited;
use crate::call::{get, ready, status};
use crate::clock::{begin, millis, now, secs, settle, timed, wait, within};

fn shaped() -> RateLimitLayer {
    RateLimitLayer::new(10, secs(1)).on_limit(OnLimit::Shape)
}

#[tokio::test(start_paused = true)]
async fn so_many_wait_and_the_next_is_refused_at_once() {
    let crm = Limited::by(shaped().queue(2));
    let queue = crm.begin(0..3).await;
    assert_eq!(crm.limit.waiting(), 2);
    let (took, result) = timed(crm.call(3)).await;
    let error = result.unwrap_err();
    assert_eq!((took, error.kind()), (secs(0), ErrorKind::Rejected(Rejection::RateLimited)));
    let text =
        "crm: rate limit reached for api.example:443: 2 calls wait already; come back in 300ms";
    assert_eq!((error.to_string().as_str(), error.delivery()), (text, Delivery::NotSent));
    for call in queue {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    assert_eq!((crm.limit.waiting(), crm.limit.rejected()), (0, 1));
    assert_eq!(crm.call(4).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn whoever_came_first_goes_first() {
    let crm = Limited::by(shaped());
    for call in crm.begin(0..50).await {
        call.await.unwrap().unwrap();
    }
    let numbers: Vec<_> = crm.seen().into_iter().map(|(_, number)| number).collect();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_leaves_no_gap_at_the_head_in_the_middle_or_at_the_end() {
    let crm = Limited::by(shaped());
    let queue = crm.begin(0..8).await;
    for gone in [1, 3, 4, 7] {
        queue[gone].abort();
    }
    settle().await;
    assert_eq!(crm.limit.waiting(), 3);
    wait(secs(2)).await;
    assert_eq!(crm.seen(), [(0, 0), (100, 2), (200, 5), (300, 6)]);
    assert_eq!(crm.limit.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_head_may_leave_at_any_moment() {
    let crm = Limited::by(shaped());
    let queue = crm.begin(0..4).await;
    wait(millis(89)).await;
    queue[1].abort();
    wait(millis(101)).await;
    queue[3].abort();
    wait(secs(1)).await;
    assert_eq!(crm.seen(), [(0, 0), (100, 2)]);
    assert_eq!(crm.limit.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_the_queue() {
    let crm = Limited::by(shaped());
    let queue = crm.begin(0..3).await;
    wait(millis(95)).await;
    assert_eq!(crm.call(3).await.unwrap(), 200);
    assert_eq!(crm.seen(), [(0, 0), (100, 1), (200, 2), (300, 3)]);
    drop(queue);
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_that_is_dropped_was_never_sent() {
    let crm = Limited::by(shaped());
    crm.call(0).await.unwrap();
    assert!(within(millis(50), crm.call(1)).await.is_none());
    wait(secs(1)).await;
    assert_eq!(crm.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_until_there_is_no_time_for_an_attempt_is_told_that_nothing_was_sent() {
    let crm = Limited::by(RateLimitLayer::learning().in_flight(1));
    crm.set(outrigger::testing::Answer::hang());
    let _held = crm.begin(0..1).await;
    let service = DeadlineLayer::new(secs(2)).layer(crm.service.clone());
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::RateLimited));
    assert_eq!((took, error.delivery(), error.attempts()), (secs(1), Delivery::NotSent, 0));
}

#[tokio::test(start_paused = true)]
async fn those_who_queue_are_refused_at_once_when_everybody_is_stopped_past_their_deadline() {
    let crm = Limited::by(shaped());
    crm.call(0).await.unwrap();
    let service = DeadlineLayer::new(secs(8)).layer(crm.service.clone());
    let mut queue = Vec::new();
    for _ in 0..3 {
        let service = service.clone();
        queue.push(begin(async move { timed(status(&service, get())).await }).await);
    }
    wait(millis(50)).await;
    crm.limit.pause(secs(600));
    for call in queue {
        let (took, result) = call.await.unwrap();
        let error = result.unwrap_err();
        assert_eq!((took, error.kind()), (millis(50), ErrorKind::Rejected(Rejection::RateLimited)));
        assert_eq!((error.delivery(), error.retry_after()), (Delivery::NotSent, Some(secs(600))));
    }
    assert_eq!((crm.limit.waiting(), crm.limit.rejected(), crm.seen().len()), (0, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_in_the_queue_blocks_nobody_while_it_is_kept() {
    let crm = Limited::by(shaped().max_wait(secs(1)));
    crm.call(0).await.unwrap();
    let mut service = crm.service.clone();
    let mut kept = Box::pin(ready(&mut service).await.call(get()));
    assert!(kept.as_mut().now_or_never().is_none());
    let [next] = crm.begin(2..3).await.try_into().expect("one call");
    crm.limit.pause(secs(2));
    assert!(kept.as_mut().await.is_err());
    let next = within(secs(60), next).await.expect("it is next, and looks again");
    assert!(next.unwrap().is_err(), "it could not wait either");
    assert_eq!((crm.limit.waiting(), crm.limit.rejected()), (0, 2));
    drop(kept);
    assert_eq!(crm.limit.waiting(), 0);
}

/// Calls that joined the queue and aren't polled any more.
fn kept(
    crm: &Limited,
    numbers: std::ops::Range<u32>,
) -> Vec<Pin<Box<impl Future<Output = Result<u16, Error>>>>> {
    let mut calls: Vec<_> = numbers.map(|number| Box::pin(crm.call(number))).collect();
    for call in &mut calls {
        assert!(call.as_mut().now_or_never().is_none(), "it queues");
    }
    calls
}

#[tokio::test(start_paused = true)]
async fn one_who_is_not_polled_when_it_is_its_turn_holds_up_nobody_for_long() {
    for in_flight in [false, true] {
        let layer = if in_flight { RateLimitLayer::learning().in_flight(1) } else { shaped() };
        let crm = Limited::by(layer);
        let takes = if in_flight { millis(100) } else { millis(0) };
        crm.set(outrigger::testing::Answer::status(200).after(takes));
        let _first = crm.begin(0..1).await;
        let mut asleep = kept(&crm, 1..6);
        let behind = within(secs(5), crm.call(6)).await;
        assert_eq!(behind.expect("it goes before them").unwrap(), 200);
        // As fast as ever, now that it is known.
        let began = now();
        for call in crm.begin(7..17).await {
            assert_eq!(call.await.unwrap().unwrap(), 200);
        }
        assert!(now() - began <= millis(1_100), "{:?}", now() - began);
        assert_eq!(crm.limit.waiting(), 5);
        // Polled again, they are before those who came since.
        crm.limit.pause(millis(300));
        let late = begin(crm.call(17)).await;
        asleep.pop();
        for call in &mut asleep {
            assert!(call.as_mut().now_or_never().is_none(), "it is back at its place");
        }
        for call in &mut asleep {
            assert_eq!(call.as_mut().await.unwrap(), 200);
        }
        assert_eq!(late.await.unwrap().unwrap(), 200);
        let seen: Vec<_> = crm.seen().into_iter().map(|(_, number)| number).collect();
        let order: Vec<_> = [0, 6].into_iter().chain(7..17).chain(1..5).chain([17]).collect();
        assert_eq!(seen, order, "in flight: {in_flight}");
        drop(asleep);
        assert_eq!(crm.limit.waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn those_behind_one_who_is_not_polled_keep_their_order() {
    let crm = Limited::by(shaped());
    crm.call(0).await.unwrap();
    let asleep = kept(&crm, 1..2);
    for call in crm.begin(2..50).await {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    let numbers: Vec<_> = crm.seen().into_iter().map(|(_, number)| number).collect();
    assert_eq!(numbers, [0].into_iter().chain(2..50).collect::<Vec<_>>());
    drop(asleep);
    assert_eq!(crm.limit.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_who_are_not_polled_hold_up_those_between_them_for_a_few_seconds() {
    let crm = Limited::by(shaped());
    crm.call(0).await.unwrap();
    let (mut asleep, mut awake) = (Vec::new(), Vec::new());
    for number in 0..40 {
        asleep.extend(kept(&crm, 1_000 + number..1_001 + number));
        awake.extend(crm.begin(number * 2 + 1..number * 2 + 3).await);
    }
    let began = now();
    for call in awake {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    // Eight seconds' calls, and not a second for each of the forty.
    assert!(now() - began < secs(17), "{:?}", now() - began);
    let numbers: Vec<_> = crm.seen().into_iter().map(|(_, number)| number).collect();
    assert_eq!(numbers, (0..81).collect::<Vec<_>>());
    drop(asleep);
    assert_eq!(crm.limit.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn callers_who_come_and_go_do_not_pile_up() {
    let crm = Limited::by(shaped().queue(10));
    crm.limit.pause(secs(3_600));
    let _head = crm.begin(0..1).await;
    for _ in 0..10_000 {
        // Refused, if those who left were counted.
        assert!(within(millis(1), crm.call(1)).await.is_none());
    }
    assert_eq!((crm.limit.waiting(), crm.limit.rejected()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn callers_who_come_twice_as_fast_as_they_may_are_answered_or_refused_and_never_cut() {
    for on_limit in [OnLimit::Reject, OnLimit::Shape] {
        let crm = Limited::by(RateLimitLayer::new(10, secs(1)).on_limit(on_limit));
        crm.set(outrigger::testing::Answer::status(200).after(millis(500)));
        let service = DeadlineLayer::new(secs(8)).layer(crm.service.clone());
        let mut calls = Vec::new();
        for _ in 0..40 * 20 {
            let service = service.clone();
            calls.push(begin(async move { status(&service, get()).await }).await);
            wait(millis(50)).await;
        }
        let mut answered = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => answered += 1,
                Err(error) => {
                    assert_eq!(error.delivery(), Delivery::NotSent, "{on_limit:?}: {error}");
                }
            }
        }
        // Ten a second, and those who still wait at the end.
        assert!((400..=445).contains(&answered), "{on_limit:?}: {answered}");
    }
}
