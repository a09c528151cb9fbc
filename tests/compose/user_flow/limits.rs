use outrigger::outcome::Phase;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Delivery, ErrorKind};

use super::preset;
use crate::call::{failure, get, millis, once, seconds, status};
use crate::provider::{Provider, Reply};

/// Fifty seconds of a body that is never silent for long.
fn slow_body() -> Provider {
    Provider::new([Reply::status(200).frames(25, seconds(2))])
}

#[tokio::test(start_paused = true)]
async fn a_call_is_over_after_eight_seconds_body_included() {
    let crm = preset().service(slow_body()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!(error.delivery(), Delivery::Answered);
    assert_eq!(took, seconds(8));
}

#[tokio::test(start_paused = true)]
async fn another_deadline_takes_the_place_of_the_eight_seconds() {
    let patient = preset().deadline(seconds(60));
    let crm = patient.service(slow_body()).build().unwrap();
    assert_eq!(status(crm.send(get())).await.0, 200);

    let hasty = preset().deadline(seconds(3));
    let crm = hasty.service(slow_body()).build().unwrap();
    assert_eq!(failure(crm.send(get())).await.1, seconds(3));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_over_after_three_seconds() {
    let crm = preset().service(Script::new([Answer::hang()])).build().unwrap();
    let (error, took) = failure(crm.send(once())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(took, seconds(3));
}

#[tokio::test(start_paused = true)]
async fn two_attempts_that_hang_fit_the_deadline() {
    let provider = Script::new([Answer::hang()]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(provider.begun(), 2);
    assert!((seconds(6)..=millis(6_500)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_limits_on_attempts_the_deadline_ends_the_first() {
    let provider = Script::new([Answer::hang()]);
    let unlimited = preset().timeout(|_| TimeoutLayer::new());
    let crm = unlimited.service(provider.clone()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!((took, provider.begun()), (seconds(8), 1));
}

#[tokio::test(start_paused = true)]
async fn a_body_may_be_silent_for_three_seconds() {
    let silent = || Provider::new([Reply::status(200).frames(1, seconds(7))]);
    let crm = preset().service(silent()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::BodyIdle));
    assert_eq!(took, seconds(3));

    let unlimited = preset().without_idle_timeout().service(silent());
    let (error, took) = failure(unlimited.build().unwrap().send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!(took, seconds(8));

    let shorter = preset().idle_timeout(seconds(1)).service(silent());
    assert_eq!(failure(shorter.build().unwrap().send(get())).await.1, seconds(1));
}

#[cfg(feature = "hyper")]
#[tokio::test(start_paused = true)]
async fn its_own_client_may_take_a_second_to_connect() {
    let attempt = |limit| preset().timeout(|timeout| timeout.attempt(limit)).build();
    let error = attempt(millis(999)).unwrap_err();
    assert!(error.to_string().contains("1s is over"), "{error}");
    assert!(attempt(millis(1_000)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_has_time_for_an_attempt_of_three_seconds() {
    let script = Script::new([Answer::status(200).after(millis(2_900))]);
    let paced = preset().rate_limit(|limit| limit.requests(1, seconds(1)).max_wait(seconds(8)));
    let crm = paced.service(script.clone()).build().unwrap();
    let calls = (0..7).map(|_| crm.send(get()));
    let calls = futures_util::future::join_all(calls).await;
    let answered = calls.iter().filter(|call| call.is_ok()).count();
    assert_eq!((answered, script.begun()), (5, 5), "with turns in the first five seconds");
    for refused in calls.into_iter().filter_map(Result::err) {
        assert_eq!(refused.delivery(), Delivery::NotSent);
    }
}
