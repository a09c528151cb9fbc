use std::time::Duration;

use outrigger::ErrorKind;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;

use super::preset;
use crate::call::{failure, get, hold, millis, once, seconds, status};

#[tokio::test(start_paused = true)]
async fn sixteen_are_under_way_sixty_four_wait_and_the_next_is_refused() {
    let provider = Script::new([Answer::hang()]);
    let crm = preset().without_rate_limit().service(provider.clone()).build().unwrap();
    let held = hold(&crm, 16 + 64);
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (16, 64));
    assert_eq!(provider.begun(), 16);
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    assert_eq!(took, Duration::ZERO);
    drop(held);
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_thirty_seconds_for_a_place() {
    // No limit on attempts, so that no place comes free meanwhile.
    let crm = preset()
        .without_rate_limit()
        .timeout(|_| TimeoutLayer::new())
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let _held = hold(&crm, 16);
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::QueueTimeout));
    assert_eq!(took, seconds(30));
}

#[tokio::test(start_paused = true)]
async fn jobs_by_the_thousand_wait_for_their_turn_in_order_and_none_is_refused() {
    let provider = Script::new([Answer::status(200).after(millis(10))]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let calls = (0..1_000).map(|number| {
        let request = http::Request::get(format!("http://crm.test/{number}")).body(());
        status(crm.send(request.unwrap()))
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (16, 0));
    assert_eq!(crm.rate_limit().waiting(), 984);
    let statuses = futures_util::future::join_all(calls).await;
    assert!(statuses.iter().all(|(status, _)| *status == 200));
    let seen: Vec<u32> =
        provider.requests().iter().map(|seen| seen.uri().path()[1..].parse().unwrap()).collect();
    assert!(seen.is_sorted(), "who came first went first");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_gets_its_place() {
    let answer = Answer::status(200).after(seconds(20));
    let crm = preset().service(Script::new([answer])).build().unwrap();
    let others = (0..16).map(|_| crm.send(once()));
    let others = futures_util::future::join_all(others);
    let (last, others) = tokio::join!(status(crm.send(get())), others);
    assert_eq!(last, (200, seconds(40)));
    assert!(others.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn without_it_any_number_of_calls_is_under_way() {
    let provider = Script::new([Answer::hang()]);
    let unbounded = preset().without_bulkhead().service(provider.clone());
    let crm = unbounded.build().unwrap();
    let _held = hold(&crm, 200);
    assert_eq!(provider.begun(), 200);
}
