use std::time::Duration;

use outrigger::ErrorKind;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;

use super::preset;
use crate::call::{failure, get, hold, once, seconds, status};

#[tokio::test(start_paused = true)]
async fn sixteen_are_under_way_sixty_four_wait_and_the_next_is_refused() {
    let provider = Script::new([Answer::hang()]);
    let crm = preset().service(provider.clone()).build().unwrap();
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
