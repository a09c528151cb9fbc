//! Functions of the host's that panic: the call goes on as if it had none, and holds nothing afterwards.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{HeaderName, Response};
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::fallback::{FallbackLayer, FallbackRecord, FallbackRecorder, FellBack};
use outrigger::integration::Service;
use outrigger::outcome::{Class, Classify, HttpClassifier, LimitHeader, ResponseHead};
use outrigger::retry::{FailedAttempt, RetryBudget, RetryPolicy};
use outrigger::testing::{Answer, Script};
use outrigger::transport::rotating::Rotating;
use outrigger::{Body, Error, Integration, IntegrationBuilder};

use crate::call::{get, once, post, read, seconds};

/// Panics whatever it is asked.
struct Panicking;

impl Classify for Panicking {
    fn response(&self, _: &ResponseHead<'_>) -> Class {
        panic!("while it classifies an answer")
    }

    fn error(&self, _: &Error) -> Class {
        panic!("while it classifies an error")
    }

    fn limit_headers(&self) -> &[(HeaderName, LimitHeader)] {
        panic!("while it names its headers")
    }
}

impl RetryPolicy for Panicking {
    fn wants(&self, _: &FailedAttempt<'_>) -> bool {
        panic!("while it decides")
    }
}

impl FallbackRecorder for Panicking {
    fn record(&self, _: FallbackRecord) {
        panic!("while it records")
    }
}

impl Subscriber for Panicking {
    fn on_event(&self, _: &Event, _: &Origin<'_>) {
        panic!("while it listens")
    }
}

fn crm(answers: impl IntoIterator<Item = Answer>) -> (IntegrationBuilder<Service<Script>>, Script) {
    let provider = Script::new(answers);
    let crm = Integration::user_flow("crm")
        .retry(|retry| retry.budget(RetryBudget::unlimited()))
        .without_breaker();
    (crm.service(provider.clone()), provider)
}

/// What a call comes to; nothing is held afterwards.
async fn answer(
    crm: &Integration,
    request: http::Request<Body>,
) -> Result<Response<String>, Error> {
    let answer = read(crm.send(request)).await;
    assert_eq!(crm.bulkhead().in_use(), 0, "a place was not given back");
    answer
}

#[tokio::test(start_paused = true)]
async fn a_classifier_leaves_the_decision_to_the_default_one() {
    let (builder, provider) = crm([Answer::status(503), Answer::status(200), Answer::status(404)]);
    let crm = builder.classifier(Panicking).build().unwrap();
    for (status, requests) in [(200, 2), (404, 3)] {
        assert_eq!(answer(&crm, get()).await.unwrap().status(), status);
        assert_eq!(provider.requests().len(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn so_it_does_for_errors_and_in_each_of_its_rules() {
    let refused = || Answer::broken(io::ErrorKind::ConnectionRefused);
    let (builder, provider) = crm([refused(), Answer::status(200)]);
    let crm = builder.classifier(Panicking).build().unwrap();
    assert_eq!(answer(&crm, get()).await.unwrap().status(), 200);
    assert_eq!(provider.begun(), 2);

    let (builder, provider) = self::crm([Answer::status(503), Answer::status(200)]);
    let rule = |_: &ResponseHead<'_>| -> Option<Class> { panic!("in a rule") };
    let crm = builder.classifier(HttpClassifier::new().with(rule)).build().unwrap();
    assert_eq!(answer(&crm, get()).await.unwrap().status(), 200);
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_that_panics_at_a_success_is_asked_once() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let rule = move |_: &ResponseHead<'_>| -> Option<Class> {
        count.fetch_add(1, Ordering::Relaxed);
        panic!("in a rule")
    };
    let crm = Integration::user_flow("crm").service(Script::new([Answer::status(200)]));
    let crm = crm.classifier(HttpClassifier::new().with(rule)).build().unwrap();
    assert_eq!(answer(&crm, get()).await.unwrap().status(), 200);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_policy_leaves_the_decision_to_the_standard_one() {
    let (builder, provider) = crm([Answer::status(503), Answer::status(404)]);
    let crm = builder.retry(|retry| retry.policy(Panicking)).build().unwrap();
    assert_eq!(answer(&crm, get()).await.unwrap().status(), 404);
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_leaves_the_failure_as_it_was() {
    let function = FallbackLayer::function(|_| panic!("in a function"));
    let begun = FallbackLayer::async_function(|_| -> std::future::Ready<_> { panic!("at first") });
    let later = FallbackLayer::async_function(async |_| {
        tokio::task::yield_now().await;
        panic!("later")
    });
    for fallback in [function, begun, later] {
        let (builder, _) = crm([Answer::status(503).body("busy")]);
        let crm = builder.fallback(fallback.record_to(Panicking)).build().unwrap();
        let answer = answer(&crm, once()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_str()), (503, "busy"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallbacks_condition_leaves_the_choice_to_the_default_and_a_recorder_loses_its_record() {
    for (status, answered) in [(503, 203), (404, 404)] {
        let value = Response::builder().status(203).body("made up").unwrap();
        let fallback = FallbackLayer::value(value).when(|_| panic!("in a condition"));
        let (builder, _) = crm([Answer::status(status)]);
        let crm = builder.fallback(fallback.record_to(Panicking)).build().unwrap();
        let answer = answer(&crm, once()).await.unwrap();
        assert_eq!(answer.status(), answered);
        assert_eq!(answer.extensions().get::<FellBack>().is_some(), answered == 203);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_whose_key_functions_panic_share_a_breaker_and_a_limit() {
    let crm = Integration::user_flow("crm")
        .breaker(|breaker| breaker.keyed(10, seconds(60), |_| panic!("in a breaker's key")))
        .rate_limit(|limit| limit.keyed(10, seconds(60), |_| panic!("in a limit's key")))
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(answer(&crm, get()).await.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_nobody_can_say_is_none() {
    let (builder, provider) = crm([Answer::status(200)]);
    let current = || -> Option<outrigger::context::TraceContext> { panic!("in a current trace") };
    let crm = builder.correlation(|layer| layer.current_trace(current)).build().unwrap();
    assert_eq!(answer(&crm, post()).await.unwrap().status(), 200);
    assert!(!provider.requests()[0].headers().contains_key("traceparent"));
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_harms_no_call_on_its_way_through_all_layers() {
    let (builder, provider) = crm([Answer::status(503), Answer::status(200)]);
    let crm = builder.subscriber(Panicking).build().unwrap();
    assert_eq!(answer(&crm, get()).await.unwrap().status(), 200);
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_made_leaves_the_one_before_it_and_is_tried_again() {
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let make = move || {
        assert_ne!(count.fetch_add(1, Ordering::SeqCst), 1, "the second is not made");
        Ok::<_, io::Error>(Script::new([Answer::status(200)]))
    };
    let client = Rotating::new(make).unwrap().time_to_live(seconds(100));
    let crm = Integration::user_flow("crm").service(client).build().unwrap();
    for times in 1..4 {
        assert_eq!(answer(&crm, get()).await.unwrap().status(), 200);
        assert_eq!(made.load(Ordering::SeqCst), times);
        tokio::time::sleep(seconds(121)).await;
    }
}
