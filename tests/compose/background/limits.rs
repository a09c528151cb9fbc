use outrigger::ErrorKind;
use outrigger::outcome::Phase;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;

use super::preset;
use crate::call::{failure, get, once, seconds, status};
use crate::provider::{Provider, Reply};

/// Seventy-five minutes of a body that is never silent for long.
fn slow_body() -> Provider {
    Provider::new([Reply::status(200).frames(300, seconds(15))])
}

#[tokio::test(start_paused = true)]
async fn a_call_is_over_after_an_hour_body_included() {
    let crm = preset().service(slow_body()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!(took, seconds(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_call_may_take_hours() {
    let patient = preset().deadline(seconds(3 * 3_600));
    let crm = patient.service(slow_body()).build().unwrap();
    assert_eq!(status(crm.send(get())).await, (200, seconds(301 * 15)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_over_after_thirty_seconds() {
    let crm = preset().service(Script::new([Answer::hang()])).build().unwrap();
    let (error, took) = failure(crm.send(once())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(took, seconds(30));
}

#[tokio::test(start_paused = true)]
async fn without_limits_on_attempts_the_deadline_ends_the_first() {
    let provider = Script::new([Answer::hang()]);
    let unlimited = preset().timeout(|_| TimeoutLayer::new());
    let crm = unlimited.service(provider.clone()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!((took, provider.begun()), (seconds(3_600), 1));
}

#[tokio::test(start_paused = true)]
async fn a_body_may_be_silent_for_twenty_seconds() {
    let silent = || Provider::new([Reply::status(200).frames(1, seconds(4_000))]);
    let crm = preset().service(silent()).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::BodyIdle));
    assert_eq!(took, seconds(20));

    let unlimited = preset().without_idle_timeout().service(silent());
    let (error, took) = failure(unlimited.build().unwrap().send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!(took, seconds(3_600));
}

#[cfg(feature = "hyper")]
#[tokio::test(start_paused = true)]
async fn its_own_client_may_take_three_seconds_to_connect() {
    let attempt = |limit| preset().timeout(|timeout| timeout.attempt(limit)).build();
    let error = attempt(seconds(2)).unwrap_err();
    assert!(error.to_string().contains("3s is over"), "{error}");
    assert!(attempt(seconds(3)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn jobs_of_many_tenants_wait_for_the_places_that_there_are_and_none_is_refused() {
    let provider = Script::new([Answer::status(200).after(seconds(1))]);
    let crm = preset()
        .rate_limit(|limit| {
            limit.keyed(100, seconds(3_600), |head| head.uri.path().to_owned().into())
        })
        .service(provider.clone())
        .build()
        .unwrap();
    let calls = (0..160).map(|number| {
        let mut request = get();
        *request.uri_mut() = format!("/tenant/{}", number % 10).parse().unwrap();
        crm.send(request)
    });
    let began = tokio::time::Instant::now();
    let calls = futures_util::future::join_all(calls).await;
    assert!(calls.iter().all(Result::is_ok));
    assert!(began.elapsed() <= seconds(11), "{:?}", began.elapsed());
    assert_eq!(crm.keyed_rate_limits().unwrap().keys().len(), 10);
    assert_eq!((crm.rate_limit().in_flight(), crm.bulkhead().in_use()), (0, 0));
}
