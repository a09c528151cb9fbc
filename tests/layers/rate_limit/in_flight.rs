//! A bound on requests that are unanswered.

use std::io::ErrorKind as Io;

use http::{Request, Response};
use outrigger::outcome::Rejection;
use outrigger::rate_limit::RateLimitLayer;
use outrigger::testing::Answer;
use outrigger::{Body, Error, ErrorKind};
use tower::{Layer, service_fn};

use super::Limited;
use crate::call::{get, status};
use crate::clock::{millis, secs, settle, spawn, timed, wait};

fn two() -> RateLimitLayer {
    RateLimitLayer::learning().in_flight(2)
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_the_bound_and_they_go_in_order() {
    let crm = Limited::by(two());
    crm.set(Answer::status(200).after(secs(1)));
    let calls = crm.begin(0..6).await;
    assert_eq!((crm.seen().len(), crm.limit.waiting()), (2, 4));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let seen = [(0, 0), (0, 1), (1_000, 2), (1_000, 3), (2_000, 4), (2_000, 5)];
    assert_eq!(crm.seen(), seen);
}

#[tokio::test(start_paused = true)]
async fn an_error_makes_room() {
    let crm = Limited::by(two());
    crm.set(Answer::broken(Io::ConnectionReset).after(secs(1)));
    for call in crm.begin(0..4).await {
        assert!(call.await.unwrap().is_err());
    }
    assert_eq!(crm.seen(), [(0, 0), (0, 1), (1_000, 2), (1_000, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_makes_room() {
    let crm = Limited::by(two());
    crm.set(Answer::hang());
    let calls = crm.begin(0..4).await;
    wait(millis(300)).await;
    calls[1].abort();
    settle().await;
    assert_eq!((crm.seen(), crm.limit.waiting()), (vec![(0, 0), (0, 1), (300, 2)], 1));
}

#[tokio::test(start_paused = true)]
async fn it_holds_beside_a_rate() {
    let crm = Limited::by(RateLimitLayer::new(10, secs(1)).in_flight(2));
    crm.set(Answer::status(200).after(millis(500)));
    assert_eq!(crm.times(5).await, [0, 100, 500, 600, 1_000]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_room_longer_than_the_limit_for_it() {
    let crm = Limited::by(two().max_wait(secs(3)));
    crm.set(Answer::hang());
    let _held = crm.begin(0..2).await;
    let behind = crm.begin(2..3).await;
    let (took, result) = timed(crm.call(3)).await;
    let error = result.unwrap_err();
    assert_eq!((took, error.kind()), (secs(3), ErrorKind::Rejected(Rejection::RateLimited)));
    assert_eq!(error.retry_after(), None, "nobody knows");
    assert_eq!(
        error.to_string(),
        "crm: rate limit reached for api.example:443: no turn in the time allowed for it"
    );
    assert!(behind.into_iter().next().unwrap().await.unwrap().is_err());
    assert_eq!((crm.limit.waiting(), crm.limit.rejected()), (0, 2));
}

/// Threads, and so no paused time; a turn that nobody is told of would hang it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_the_threads_do_everybody_gets_a_turn_or_leaves() {
    let layer = two();
    let service = layer.layer(service_fn(|_: Request<Body>| async {
        tokio::task::yield_now().await;
        Ok::<_, Error>(Response::new(Body::empty()))
    }));
    let calls = (0..5_000).map(|number| {
        let service = service.clone();
        let call = spawn(async move { status(&service, get()).await });
        if number % 3 == 0 {
            call.abort();
        }
        call
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let result = call.await;
        if number % 3 > 0 {
            assert_eq!(result.unwrap().unwrap(), 200);
        }
    }
    assert_eq!((layer.handle().waiting(), layer.handle().rejected()), (0, 0));
}
