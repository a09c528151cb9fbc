use outrigger::ErrorKind;
use outrigger::Integration;
use outrigger::event::BreakerState;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};

use super::preset;
use crate::call::{failure, millis, once, read, seconds};

/// An integration whose provider answers by a pattern of `F`ailures and `S`uccesses.
fn answering(pattern: &str) -> (Script, Integration) {
    let answers = pattern.chars().map(|answer| match answer {
        'F' => Answer::status(500),
        _ => Answer::status(200),
    });
    let provider = Script::new(answers);
    let crm = preset().service(provider.clone()).build().unwrap();
    (provider, crm)
}

async fn call(crm: &Integration, times: usize) {
    for _ in 0..times {
        read(crm.send(once())).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_open_it() {
    let (provider, crm) = answering("F");
    call(&crm, 4).await;
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    call(&crm, 1).await;
    assert_eq!(crm.breaker().state(), BreakerState::Open);
    let (error, _) = failure(crm.send(once())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
    assert_eq!(provider.begun(), 5);
}

#[tokio::test(start_paused = true)]
async fn four_failures_in_five_of_twenty_calls_open_it() {
    let (_, crm) = answering(&"FFFFS".repeat(4));
    call(&crm, 19).await;
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    call(&crm, 1).await;
    assert_eq!(crm.breaker().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn three_failures_in_four_leave_it_closed() {
    let (provider, crm) = answering(&"FFFS".repeat(25));
    call(&crm, 100).await;
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    assert_eq!(provider.begun(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_failures_counts_only_while_there_are_few_calls() {
    let (_, crm) = answering(&format!("{}{}", "S".repeat(20), "F".repeat(10)));
    call(&crm, 30).await;
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_thirty_seconds_is_forgotten() {
    let (_, crm) = answering(&format!("{}{}", "FFFS".repeat(5), "S".repeat(9)));
    call(&crm, 20).await;
    assert_eq!(crm.breaker().counts().calls, 20);
    tokio::time::advance(seconds(32)).await;
    assert_eq!(crm.breaker().counts().calls, 0);
}

#[tokio::test(start_paused = true)]
async fn it_stays_open_for_about_five_seconds_and_closes_after_two_of_three_probes() {
    let (provider, crm) = answering(&format!("{}{}", "F".repeat(5), "S"));
    call(&crm, 5).await;
    tokio::time::advance(millis(2_400)).await;
    let (error, _) = failure(crm.send(once())).await;
    let back = error.retry_after().unwrap();
    assert!(back <= millis(7_500 - 2_400), "{back:?}");

    tokio::time::advance(back).await;
    // Three probes at a time; the fourth call is refused.
    let probes = [(); 3].map(|()| crm.send(once()));
    assert_eq!(crm.breaker().state(), BreakerState::HalfOpen);
    assert!(failure(crm.send(once())).await.0.is_rejected());
    let [first, second, third] = probes;
    read(first).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::HalfOpen);
    read(second).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    read(third).await.unwrap();
    assert_eq!(provider.begun(), 8);
}

#[tokio::test(start_paused = true)]
async fn without_it_every_call_goes_out() {
    let provider = Script::new([Answer::status(500)]);
    let open = preset().without_breaker().service(provider.clone());
    let crm = open.build().unwrap();
    call(&crm, 50).await;
    assert_eq!(provider.begun(), 50);
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}
