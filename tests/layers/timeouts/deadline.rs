//! One limit for the whole call.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::Frame;
use http_body_util::StreamBody;
use outrigger::Body;
use outrigger::Delivery::{Answered, NotSent, Unknown};
use outrigger::context::CallDeadline;
use outrigger::deadline::DeadlineLayer;
use outrigger::outcome::Phase;
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, ReadinessProbe, Script};
use outrigger::timeout::TimeoutLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceExt};

use super::{assert_timed_out, listener, told, trickle};
use crate::call::{fetch, frame, get, send, status};
use crate::clock::{begin, millis, now, secs, timed, wait, within};
use crate::provider::{Streaming, piped};
use crate::retry::plain;

#[tokio::test(start_paused = true)]
async fn a_call_is_over_at_its_deadline_and_says_so() {
    let (events, emitter) = listener();
    let service = DeadlineLayer::new(secs(8)).emitter(emitter).layer(Script::new([Answer::hang()]));
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(8), Unknown);
    assert_eq!(error.to_string(), "crm: call timed out after 8s at api.example:443");
    assert_eq!((took, error.elapsed(), error.attempts()), (secs(8), Some(secs(8)), 1));
    assert_eq!(error.integration(), Some("crm"));
    assert_eq!(events.events(), told(Phase::Call, secs(8)));
}

#[tokio::test(start_paused = true)]
async fn it_covers_the_wait_for_readiness() {
    let provider = Script::new([Answer::status(200)]);
    let unready = ReadinessProbe::new(provider.clone());
    unready.set_ready(false);
    let service = DeadlineLayer::new(secs(8)).layer(unready);
    let (took, result) = timed(status(&service, get())).await;
    assert_timed_out(&result.unwrap_err(), Phase::Call, secs(8), NotSent);
    assert_eq!((took, provider.begun()), (secs(8), 0));
}

#[tokio::test(start_paused = true)]
async fn one_second_over_a_full_concurrency_limit_is_one_second() {
    let provider = Script::new([Answer::status(200).after(millis(4_500))]);
    let limited = ConcurrencyLimitLayer::new(1).layer(provider.clone());
    let service = DeadlineLayer::new(secs(1)).layer(limited.clone());
    let held = begin(async move { send(&limited, get()).await.map(drop) }).await;
    let (took, result) = timed(status(&service, get())).await;
    assert_timed_out(&result.unwrap_err(), Phase::Call, secs(1), NotSent);
    assert_eq!((took, provider.begun()), (secs(1), 1));
    held.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_place_that_comes_free_in_time_is_taken() {
    let provider = Script::new([Answer::status(200).after(secs(2))]);
    let limited = ConcurrencyLimitLayer::new(1).layer(provider.clone());
    let service = DeadlineLayer::new(secs(5)).layer(limited.clone());
    let _held = begin(async move { send(&limited, get()).await.map(drop) }).await;
    let (took, result) = timed(status(&service, get())).await;
    assert_eq!((took, result.unwrap()), (secs(4), 200));
}

#[tokio::test(start_paused = true)]
async fn it_covers_all_attempts_and_the_waits_between_them() {
    let attempts = TimeoutLayer::new().attempt(secs(3));
    let provider = Script::new([Answer::hang()]);
    let service = plain().max_attempts(10).layer(attempts.layer(provider.clone()));
    let service = DeadlineLayer::new(secs(8)).layer(service);
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(8), Unknown);
    assert_eq!((took, provider.begun(), error.attempts()), (secs(8), 3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_last_failure_is_returned_rather_than_waited_away() {
    let asking = Answer::status(503).header("retry-after", "60").body("maintenance");
    let retry = plain().budget(RetryBudget::unlimited()).layer(Script::new([asking]));
    let service = DeadlineLayer::new(secs(8)).layer(retry);
    let (took, answer) = timed(fetch(&service, get())).await;
    assert_eq!((took, answer.unwrap().as_ref()), (secs(0), &b"maintenance"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_cut() {
    let (events, emitter) = listener();
    let (pipe, body) = piped();
    let service = DeadlineLayer::new(secs(8)).emitter(emitter).layer(Streaming::new([body]));
    pipe.feed("half of");
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "half of");
    let (took, rest) = timed(frame(&mut body)).await;
    let error = rest.unwrap().unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(8), Answered);
    assert_eq!((took, error.elapsed()), (secs(8), Some(secs(8))));
    assert_eq!(error.last_status().unwrap().as_u16(), 200);
    assert_eq!(events.events(), told(Phase::Call, secs(8)));
    drop(body);
    assert!(!pipe.is_read(), "nothing is held on to");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_only_trickles_is_cut_on_the_same_clock_as_its_head() {
    let head = TimeoutLayer::new().attempt(secs(6));
    let slow = tower::service_fn(|_| async {
        wait(secs(5)).await;
        Ok::<_, outrigger::Error>(http::Response::new(trickle(100, secs(1))))
    });
    let service = DeadlineLayer::new(millis(8_500)).layer(head.layer(slow));
    let (took, answer) = timed(fetch(&service, get())).await;
    assert_timed_out(&answer.unwrap_err(), Phase::Call, millis(8_500), Answered);
    assert_eq!(took, millis(8_500));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_on_the_same_tick_wins() {
    for (after, answered) in [(7_999, true), (8_000, true), (8_001, false)] {
        let provider = Script::new([Answer::status(200).after(millis(after))]);
        let service = DeadlineLayer::new(secs(8)).layer(provider);
        assert_eq!(status(&service, get()).await.is_ok(), answered, "after {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_there_on_the_same_tick_wins() {
    for (silence, read) in [(3_999, true), (4_000, true), (4_001, false)] {
        let body = trickle(1, millis(silence));
        let service = DeadlineLayer::new(secs(8)).layer(Streaming::new([body]));
        assert_eq!(fetch(&service, get()).await.is_ok(), read, "silences of {silence} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_of_an_answer_is_not_read_after_the_deadline() {
    let (pipe, body) = piped();
    let service = DeadlineLayer::new(secs(8)).layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    pipe.feed("a part");
    wait(secs(60)).await;
    let late = now();
    assert!(frame(&mut body).await.unwrap().unwrap_err().is_timeout());
    assert_eq!(now(), late);
}

#[tokio::test(start_paused = true)]
async fn a_panic_further_in_is_a_panic_and_no_timeout() {
    let panics = tower::service_fn(|_| async {
        wait(secs(1)).await;
        assert!(now() < late(), "out of order");
        Ok::<_, outrigger::Error>(http::Response::new(outrigger::Body::empty()))
    });
    let limits = TimeoutLayer::new().attempt(secs(2));
    let service = DeadlineLayer::new(secs(8)).layer(limits.layer(panics));
    let call = begin(async move { status(&service, get()).await }).await;
    assert!(call.await.unwrap_err().is_panic());
}

#[tokio::test(start_paused = true)]
async fn a_panicked_task_of_the_client_is_no_timeout() {
    let delegates = tower::service_fn(|_| async {
        let work = crate::clock::spawn(async { assert!(now() < late(), "out of order") });
        work.await.map(|()| http::Response::new(outrigger::Body::empty()))
    });
    let limits = TimeoutLayer::new().attempt(secs(2));
    let service = DeadlineLayer::new(secs(8)).layer(limits.layer(delegates));
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!((error.is_timeout(), error.kind()), (false, outrigger::ErrorKind::Other));
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("panic"), "{source}");
}

/// A time that has always passed: what is asserted of it panics.
fn late() -> std::time::Instant {
    now() - millis(1)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_always_has_more_is_cut_at_the_deadline() {
    let (events, emitter) = listener();
    let more = || Ok::<_, Infallible>(Frame::data(Bytes::from("more")));
    let endless = Body::new(StreamBody::new(stream::repeat_with(more)));
    let service = DeadlineLayer::new(secs(8)).emitter(emitter).layer(Streaming::new([endless]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    for second in 0..8 {
        assert_eq!(frame(&mut body).await.unwrap().unwrap(), "more", "in second {second}");
        wait(secs(1)).await;
    }
    let error = frame(&mut body).await.unwrap().unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(8), Answered);
    assert_eq!(events.events(), told(Phase::Call, secs(8)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_all_here_is_handed_over_late() {
    let service = DeadlineLayer::new(secs(8)).layer(Streaming::new([Body::from("all of it")]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    wait(secs(60)).await;
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "all of it");
    assert!(frame(&mut body).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_has_passed_is_not_sent() {
    let provider = Script::new([Answer::status(200)]);
    let limited = ConcurrencyLimitLayer::new(1).layer(provider.clone());
    let (events, emitter) = listener();
    let mut service = DeadlineLayer::new(secs(8)).emitter(emitter).layer(limited.clone());
    let mut late = get();
    late.extensions_mut().insert(CallDeadline::after(secs(0)));
    // With its place in the limit taken already.
    let ready = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap();
    let error = ready.call(late).await.map(drop).unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(0), NotSent);
    assert_eq!((error.attempts(), provider.begun()), (0, 0));
    assert_eq!(events.events(), told(Phase::Call, secs(0)));
    assert!(within(secs(1), send(&limited, get())).await.is_some(), "the place is free again");
}
