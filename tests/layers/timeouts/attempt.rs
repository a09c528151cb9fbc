//! Limits on one attempt.

use http::HeaderName;
use outrigger::Delivery::Unknown;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::outcome::{GaveUp, Phase};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use tower::Layer;

use super::{assert_timed_out, listener, told, trickle};
use crate::call::{fetch, get, keyed_post, post, send, status};
use crate::clock::{begin, millis, secs, timed};
use crate::provider::Streaming;
use crate::retry::plain;

fn hang() -> Script {
    Script::new([Answer::hang()])
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_cut_at_its_limit_and_says_so() {
    let (events, emitter) = listener();
    let service = TimeoutLayer::new().attempt(secs(2)).emitter(emitter).layer(hang());
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::Attempt, secs(2), Unknown);
    assert_eq!(error.to_string(), "crm: attempt timed out after 2s at api.example:443");
    assert_eq!((took, error.elapsed(), error.attempts()), (secs(2), Some(secs(2)), 1));
    assert_eq!(error.integration(), Some("crm"));
    assert_eq!(events.events(), told(Phase::Attempt, secs(2)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_on_the_same_tick_wins() {
    for limits in [TimeoutLayer::new().attempt(secs(2)), TimeoutLayer::new().response_head(secs(2))]
    {
        for (after, answered) in [(1_999, true), (2_000, true), (2_001, false)] {
            let provider = Script::new([Answer::status(200).after(millis(after))]);
            let service = limits.layer(provider);
            assert_eq!(status(&service, get()).await.is_ok(), answered, "after {after} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_its_own_time() {
    let provider = Script::new([Answer::hang(), Answer::hang(), Answer::status(200)]);
    let service = plain().layer(TimeoutLayer::new().attempt(secs(2)).layer(provider));
    let (took, result) = timed(status(&service, get())).await;
    assert_eq!((took, result.unwrap()), (millis(4_200), 200));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_stays_a_timeout_under_retry() {
    let service = plain().layer(TimeoutLayer::new().attempt(secs(2)).layer(hang()));
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::Attempt, secs(2), Unknown);
    assert_eq!((error.attempts(), error.gave_up()), (3, Some(GaveUp::Attempts)));
    assert_eq!((took, error.elapsed()), (millis(6_200), Some(millis(6_200))));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_timed_out_may_have_been_acted_on() {
    let service = plain().layer(TimeoutLayer::new().attempt(secs(2)).layer(hang()));
    let error = status(&service, post("a")).await.unwrap_err();
    assert_timed_out(&error, Phase::Attempt, secs(2), Unknown);
    assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotSafe)));
    assert_eq!(status(&service, keyed_post("a")).await.unwrap_err().attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_answers_body_is_not_the_attempts_time() {
    let limits = TimeoutLayer::new().attempt(secs(2)).response_head(secs(2));
    let service = limits.layer(Streaming::new([trickle(3, secs(60))]));
    assert_eq!(fetch(&service, get()).await.unwrap(), "drop drop drop ");
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_not_the_attempts_time() {
    let provider = Script::new([Answer::status(200).after(millis(1_900))]);
    let attempts = TimeoutLayer::new().attempt(secs(2)).layer(provider);
    let service = BulkheadLayer::new(1).queue(9).layer(attempts);
    let calls = (0..5).map(|_| status(&service, get()));
    let (took, results) = timed(futures_util::future::join_all(calls)).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(took, millis(5 * 1_900));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_does_not_outlive_the_deadline_which_then_names_itself() {
    for limits in [TimeoutLayer::new(), TimeoutLayer::new().attempt(secs(10))] {
        let (events, emitter) = listener();
        let attempts = limits.emitter(emitter).layer(hang());
        let service = DeadlineLayer::new(secs(3)).layer(attempts);
        let (took, result) = timed(status(&service, get())).await;
        assert_timed_out(&result.unwrap_err(), Phase::Call, secs(3), Unknown);
        assert_eq!((took, events.events()), (secs(3), told(Phase::Call, secs(3))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_and_an_attempt_that_pass_at_once_are_told_once_as_the_deadline() {
    let (events, emitter) = listener();
    let attempts = TimeoutLayer::new().attempt(secs(3)).emitter(emitter.clone()).layer(hang());
    let service = DeadlineLayer::new(secs(3)).emitter(emitter).layer(attempts);
    assert_timed_out(&status(&service, get()).await.unwrap_err(), Phase::Call, secs(3), Unknown);
    assert_eq!(events.events(), told(Phase::Call, secs(3)));
}

#[tokio::test(start_paused = true)]
async fn the_limit_that_passes_first_names_itself() {
    let limits = TimeoutLayer::new().attempt(secs(3)).response_head(secs(1));
    let (took, result) = timed(status(&limits.layer(hang()), get())).await;
    assert_timed_out(&result.unwrap_err(), Phase::ResponseHead, secs(1), Unknown);
    assert_eq!(took, secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_cut_leaves_nothing_behind() {
    let bulkhead = BulkheadLayer::new(1);
    let places = bulkhead.handle();
    let service = TimeoutLayer::new().attempt(secs(2)).layer(bulkhead.layer(hang()));
    let call = begin(async move { status(&service, get()).await }).await;
    assert_eq!(places.in_use(), 1);
    assert!(call.await.unwrap().unwrap_err().is_timeout());
    assert_eq!(places.in_use(), 0);
}

/// What the provider is told of the time that is left, attempt by attempt.
async fn sent_on(limits: TimeoutLayer, deadline: DeadlineLayer) -> Vec<String> {
    let provider = Script::new([Answer::status(503).after(millis(400))]);
    let limits = limits.send_on(HeaderName::from_static("x-time-left"));
    let retried = plain().layer(limits.layer(provider.clone()));
    send(&deadline.layer(retried), get()).await.unwrap();
    let requests = provider.requests();
    let headers = requests.iter().filter_map(|request| request.headers().get("x-time-left"));
    headers.map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_provider_may_be_told_how_many_milliseconds_are_left() {
    let (limits, none) = (TimeoutLayer::new(), DeadlineLayer::inherited());
    let attempts = limits.clone().attempt(secs(2));
    assert_eq!(sent_on(attempts.clone(), none.clone()).await, ["2000", "2000", "2000"]);
    let deadline = DeadlineLayer::new(millis(2_200));
    assert_eq!(sent_on(attempts, deadline.clone()).await, ["2000", "1700", "1200"]);
    assert_eq!(sent_on(limits.clone(), deadline).await, ["2200", "1700", "1200"]);
    assert_eq!(sent_on(limits, none).await, [""; 0], "without a limit there is nothing to tell");
}
