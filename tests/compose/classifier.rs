//! A classifier of one's own is obeyed by every layer alike.

use std::io;

use http::StatusCode;
use outrigger::bulkhead::Adaptive;
use outrigger::event::{BreakerState, End, Event};
use outrigger::integration::OwnClient;
use outrigger::outcome::{Class, Classify, HttpClassifier, ResponseHead};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Error, Integration, IntegrationBuilder};

use crate::call::{failure, get, once, read};

/// A provider that answers 200 with an error inside, and 500 to what it means well.
struct Contrary;

impl Classify for Contrary {
    fn response(&self, head: &ResponseHead<'_>) -> Class {
        match head.status {
            StatusCode::OK => Class::Invalid,
            StatusCode::INTERNAL_SERVER_ERROR => Class::Success,
            _ => HttpClassifier::new().response(head),
        }
    }

    fn error(&self, _: &Error) -> Class {
        Class::ClientError
    }
}

fn contrary(told: &EventRecorder) -> IntegrationBuilder<OwnClient> {
    let preset = Integration::user_flow("crm").subscriber(told.clone());
    preset.classifier(Contrary)
}

fn ends(told: &EventRecorder) -> Vec<Class> {
    let events = told.events();
    let ends = events.iter().filter_map(|event| match event {
        Event::CallFinished { end, .. } | Event::AttemptFinished { end, .. } => match end {
            End::Answered { class, .. } | End::Failed { class, .. } => Some(*class),
            _ => None,
        },
        _ => None,
    });
    ends.collect()
}

#[tokio::test(start_paused = true)]
async fn what_it_calls_a_failure_is_retried_counted_and_told() {
    let (told, provider) = (EventRecorder::new(), Script::new([Answer::status(200)]));
    let crm = contrary(&told).service(provider.clone()).build().unwrap();
    let response = read(crm.send(get())).await.unwrap();
    assert_eq!((response.status(), provider.begun()), (StatusCode::OK, 2));
    assert_eq!(crm.breaker().counts().failed, 2);
    assert_eq!(ends(&told), [Class::Invalid; 3]);
    for _ in 0..8 {
        read(crm.send(once())).await.unwrap();
    }
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    read(crm.send(once())).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn what_it_calls_a_success_is_neither_retried_nor_counted_against_the_provider() {
    let (told, provider) = (EventRecorder::new(), Script::new([Answer::status(500)]));
    let crm = contrary(&told).service(provider.clone()).build().unwrap();
    for _ in 0..10 {
        read(crm.send(get())).await.unwrap();
    }
    assert_eq!(provider.begun(), 10);
    let counts = crm.breaker().counts();
    assert_eq!((counts.calls, counts.failed), (10, 0));
    assert_eq!(ends(&told), [Class::Success; 20]);
}

#[tokio::test(start_paused = true)]
async fn what_it_says_of_errors_holds_as_well() {
    let broken = Answer::broken(io::ErrorKind::ConnectionReset);
    let (told, provider) = (EventRecorder::new(), Script::new([broken]));
    let crm = contrary(&told).service(provider.clone()).build().unwrap();
    for _ in 0..10 {
        failure(crm.send(get())).await;
    }
    assert_eq!(provider.begun(), 10);
    assert_eq!(crm.breaker().counts().failed, 0);
    assert_eq!(ends(&told), [Class::ClientError; 20]);
}

#[tokio::test(start_paused = true)]
async fn a_rule_before_the_default_leaves_the_rest_to_it() {
    let rule = |head: &ResponseHead<'_>| (head.status == 430).then_some(Class::Throttled);
    let provider = Script::new([430, 404, 500, 200].map(Answer::status));
    let told = EventRecorder::new();
    let crm = Integration::user_flow("crm")
        .subscriber(told.clone())
        .classifier(HttpClassifier::new().with(rule))
        .without_rate_limit()
        .service(provider)
        .build()
        .unwrap();
    for _ in 0..4 {
        read(crm.send(once())).await.unwrap();
    }
    let mut ends = ends(&told);
    ends.dedup();
    use Class::{ClientError, ServerError, Success, Throttled};
    assert_eq!(ends, [Throttled, ClientError, ServerError, Success]);
    assert_eq!(crm.breaker().counts().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn what_it_calls_throttled_lowers_an_adaptive_limit() {
    let enough = HttpClassifier::new()
        .with(|head| (head.status.as_u16() == 420).then_some(Class::Throttled));
    // Nobody listens, so that no layer further in has read the answer before.
    let crm = Integration::user_flow("crm")
        .classifier(enough)
        .bulkhead(|bulkhead| bulkhead.concurrency(20).adaptive(Adaptive::aimd()))
        .service(Script::new([Answer::status(420)]))
        .build()
        .unwrap();
    read(crm.send(once())).await.unwrap();
    assert_eq!(crm.bulkhead().limit(), Some(18));
}
