use std::time::Duration;

use http::Response;
use outrigger::backoff::Backoff;
use outrigger::event::Event;
use outrigger::outcome::GaveUp;
use outrigger::retry::{EmptyBudget, Retries, RetryBudget};
use outrigger::testing::{Answer, EventRecorder, Script};

use super::preset;
use crate::call::{get, read, seconds, status};

fn retries<B>(response: &Response<B>) -> Retries {
    *response.extensions().get().expect("what it took")
}

/// Settings under which the budget alone can say no.
fn unlimited() -> RetryBudget {
    RetryBudget::unlimited()
}

#[tokio::test(start_paused = true)]
async fn a_call_has_as_many_attempts_as_fit_its_deadline() {
    let provider = Script::new([Answer::status(500)]);
    let plenty = preset().without_breaker().retry(|retry| retry.budget(unlimited()));
    let crm = plenty.service(provider.clone()).build().unwrap();
    let began = tokio::time::Instant::now();
    let response = read(crm.send(get())).await.unwrap();
    assert_eq!(retries(&response).gave_up, Some(GaveUp::Deadline));
    assert!(began.elapsed() > seconds(3_500) && began.elapsed() < seconds(3_600));
    assert!(provider.begun() > 60, "{} attempts, a minute apart at most", provider.begun());
}

#[tokio::test(start_paused = true)]
async fn without_retry_a_call_has_one_attempt() {
    let provider = Script::new([Answer::status(500)]);
    let crm = preset().without_retry().service(provider.clone());
    read(crm.build().unwrap().send(get())).await.unwrap();
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_waits_double_from_a_second_and_are_spread() {
    let told = EventRecorder::new();
    let crm = preset()
        .without_breaker()
        .retry(|retry| retry.max_attempts(5).budget(unlimited()))
        .subscriber(told.clone())
        .service(Script::new([Answer::status(500)]))
        .build()
        .unwrap();
    let mut most = [Duration::ZERO; 4];
    for _ in 0..50 {
        read(crm.send(get())).await.unwrap();
    }
    for event in told.events() {
        if let Event::RetryScheduled { attempt, delay, .. } = event {
            let most = &mut most[attempt as usize - 1];
            *most = delay.max(*most);
        }
    }
    for (most, cap) in most.into_iter().zip([1, 2, 4, 8].map(seconds)) {
        assert!((cap / 2..=cap).contains(&most), "{most:?} of {cap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_spread_by_a_half_upwards() {
    for _ in 0..20 {
        let busy = Answer::status(503).header("retry-after", "100");
        let crm = preset().service(Script::new([busy, Answer::status(200)]));
        let (status, took) = status(crm.build().unwrap().send(get())).await;
        assert_eq!(status, 200);
        assert!((seconds(100)..=seconds(150)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_out_however_long_it_is_where_the_deadline_allows_it() {
    let busy = Answer::status(503).header("retry-after", "86400");
    let provider = Script::new([busy, Answer::status(200)]);
    let patient = preset().deadline(seconds(48 * 3_600)).service(provider);
    let (status, took) = status(patient.build().unwrap().send(get())).await;
    assert_eq!(status, 200);
    assert!((seconds(86_400)..=seconds(129_600)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_job_goes_within_a_ban_however_long_its_own_clock_runs() {
    let banned = Answer::status(429).header("retry-after", "82721");
    let provider = Script::new([banned, Answer::status(200)]);
    let crm = preset().deadline(seconds(48 * 3_600)).service(provider.clone()).build().unwrap();
    let call = |after| {
        let crm = crm.clone();
        async move {
            tokio::time::sleep(seconds(after)).await;
            status(crm.send(get())).await
        }
    };
    // All but the first come while the ban stands.
    let calls = futures_util::future::join_all((0..21).map(|after| call(after * 100))).await;
    for (number, (status, took)) in (0..).zip(calls) {
        assert_eq!(status, 200);
        assert!(took + seconds(number * 100) >= seconds(82_721), "{took:?}");
    }
    assert_eq!(provider.begun(), 22);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_is_returned_at_once() {
    let provider = Script::new([Answer::status(503).header("retry-after", "3600")]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let began = tokio::time::Instant::now();
    let response = read(crm.send(get())).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(retries(&response).gave_up, Some(GaveUp::Deadline));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn retries_are_as_many_as_the_calls_and_ten_and_a_full_bucket() {
    let provider = Script::new([Answer::status(500)]);
    // Without waits, so that the floor isn't used twice.
    let at_once = preset().without_breaker().retry(|retry| {
        let retry = retry.max_attempts(5).backoff(Backoff::schedule([Duration::ZERO]));
        retry.when_budget_is_empty(EmptyBudget::Fail)
    });
    let crm = at_once.service(provider.clone()).build().unwrap();
    for _ in 0..100 {
        read(crm.send(get())).await.unwrap();
    }
    // The first call finds the bucket full, and adds nothing to it.
    assert_eq!(provider.begun(), 100 + 20 + 99 + 10);
}
