use http_body_util::BodyExt;
use outrigger::event::BreakerState;
use outrigger::outcome::{Phase, Rejection};
use outrigger::testing::{Answer, Script};
use outrigger::{Delivery, ErrorKind, Integration};
use tokio::task::JoinSet;

use super::preset;
use crate::call::{failure, get, millis, once, poll_once, read, seconds};
use crate::provider::{Provider, Reply};

/// An integration whose provider answers by a pattern of `F`ailures and `S`uccesses.
fn answering(pattern: &str) -> (Script, Integration) {
    let answers = pattern.chars().map(|answer| match answer {
        'F' => Answer::status(500),
        'L' => Answer::status(200).after(millis(1)),
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

/// Ten failures and one more, two seconds after the first.
async fn go_down(crm: &Integration) {
    call(crm, 10).await;
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    tokio::time::advance(seconds(2)).await;
    call(crm, 1).await;
    assert_eq!(crm.breaker().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn ten_failures_in_a_row_and_two_seconds_without_a_success_open_it() {
    let (provider, crm) = answering("F");
    go_down(&crm).await;
    let (error, _) = failure(crm.send(once())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
    assert_eq!(provider.begun(), 11);
}

#[tokio::test(start_paused = true)]
async fn from_ten_failures_in_a_row_on_nothing_is_repeated() {
    let (provider, crm) = answering("F");
    call(&crm, 8).await;
    read(crm.send(get())).await.unwrap();
    assert_eq!(provider.begun(), 10, "the ninth was repeated");
    read(crm.send(get())).await.unwrap();
    assert_eq!(provider.begun(), 11, "the eleventh is not");
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn nine_failures_in_ten_leave_it_closed() {
    let (provider, crm) = answering(&"FFFFFFFFFS".repeat(50));
    for _ in 0..50 {
        call(&crm, 10).await;
        tokio::time::advance(seconds(1)).await;
    }
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    assert_eq!(provider.begun(), 500);
}

#[tokio::test(start_paused = true)]
async fn it_tries_within_half_a_second_and_closes_at_the_first_success() {
    let (provider, crm) = answering(&format!("{}{}", "F".repeat(11), "LS"));
    go_down(&crm).await;
    let (error, _) = failure(crm.send(once())).await;
    let next = error.retry_after().unwrap();
    assert!((millis(400)..=millis(500)).contains(&next), "{next:?}");
    tokio::time::advance(next).await;
    let mut probe = crm.send(once());
    assert!(poll_once(&mut probe).is_pending());
    assert!(failure(crm.send(once())).await.0.is_rejected(), "one at a time");
    read(probe).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    call(&crm, 100).await;
    assert_eq!(provider.begun(), 112);
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

/// Answers come at once, and a byte a second; nobody gets to the end of one.
#[tokio::test(start_paused = true)]
async fn answers_that_nobody_gets_to_the_end_of_in_time_open_it() {
    let drip = Reply::status(200).frames(1_000, seconds(1));
    let crm = preset().service(Provider::new([drip])).build().unwrap();
    for _ in 0..10 {
        let response = crm.send(get()).await.unwrap();
        let error = response.into_body().bytes().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (CUT, Delivery::Answered));
    }
    assert_eq!(crm.breaker().state(), BreakerState::Open);
}

/// A provider that streams: an answer begins at once, and takes half a minute to its end.
#[tokio::test(start_paused = true)]
async fn answers_that_are_being_read_keep_it_closed_although_none_has_come_to_its_end() {
    let provider = Provider::new((0..400).map(|nth| match nth % 5 {
        4 => Reply::status(503),
        _ => Reply::status(200).frames(30, seconds(1)),
    }));
    let llm = preset().deadline(seconds(300)).without_retry().without_bulkhead();
    let llm = llm.service(provider).build().unwrap();
    let mut readers = JoinSet::new();
    for nth in 0..400 {
        let response = llm.send(once()).await.unwrap();
        assert_eq!(response.status() == 200, nth % 5 != 4);
        readers.spawn(response.into_body().bytes());
        tokio::time::sleep(millis(100)).await;
    }
    assert_eq!(llm.breaker().counts().rejected, 0);
    assert!(readers.join_all().await.iter().all(Result::is_ok));
}

/// Nobody gets to the end of an answer, and most calls get none: heads that come end only the row of
/// those that didn't.
#[tokio::test(start_paused = true)]
async fn successful_heads_do_not_hide_that_no_body_comes_to_its_end() {
    let provider = Provider::new((0..100).map(|nth| match nth % 5 {
        0 => Reply::status(200).frames(1_000, seconds(1)),
        _ => Reply::status(503),
    }));
    let crm = preset().deadline(seconds(4)).without_retry().service(provider).build().unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..100 {
        let sent = crm.send(once());
        readers.spawn(async move {
            if let Ok(response) = sent.await {
                let _cut = response.into_body().bytes().await;
            }
        });
        tokio::time::sleep(millis(100)).await;
    }
    assert!(crm.breaker().counts().rejected > 0, "ten bodies were cut");
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_his_time_does_not_open_it() {
    let crm = preset().service(Provider::new([Reply::status(200).frames(3, millis(1))]));
    let crm = crm.build().unwrap();
    for _ in 0..10 {
        let mut body = crm.send(get()).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        tokio::time::advance(seconds(60)).await;
        assert_eq!(body.frame().await.unwrap().unwrap_err().kind(), CUT);
    }
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}

const CUT: ErrorKind = ErrorKind::Timeout(Phase::Call);
