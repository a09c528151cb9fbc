//! What is counted and told of two requests.

use outrigger::Delivery;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::event::{Emitter, End, Event};
use outrigger::observe::ObserveLayer;
use outrigger::outcome::Class;
use outrigger::retry::{Retries, RetryBudget};
use outrigger::testing::{Answer, EventRecorder, Script};
use tower::{Layer, ServiceBuilder};

use super::{after, fixed};
use crate::call::{get, send, status};
use crate::clock::{begin, millis};
use crate::retry::plain;

/// How each request ended, in order.
fn ends(events: &EventRecorder) -> Vec<End> {
    let end = |event| match event {
        Event::AttemptFinished { end, .. } => Some(end),
        _ => None,
    };
    events.events().into_iter().filter_map(end).collect()
}

fn attempts(events: &EventRecorder) -> u32 {
    match events.events().pop() {
        Some(Event::CallFinished { attempts, .. }) => attempts,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_loser_ends_as_overtaken() {
    for answers in [[Answer::hang(), after(200, 10)], [after(200, 100), Answer::hang()]] {
        let events = EventRecorder::new();
        let observed = ObserveLayer::attempt(Emitter::new().with(events.clone()));
        let service = fixed().layer(observed.layer(Script::new(answers)));
        drop(send(&service, get()).await.unwrap());
        let answered = |end: &End| matches!(end, End::Answered { class: Class::Success, .. });
        let ends = ends(&events);
        assert!(ends[0] == End::Overtaken && answered(&ends[1]) && ends.len() == 2, "{ends:?}");
        assert_eq!(events.count(|event| *event == Event::AttemptStarted), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_departure_overtakes_nobody() {
    let events = EventRecorder::new();
    let observed = ObserveLayer::attempt(Emitter::new().with(events.clone()));
    let service = fixed().layer(observed.layer(Script::new([Answer::hang()])));
    assert!(crate::clock::within(millis(60), status(&service, get())).await.is_none());
    let abandoned = End::Abandoned { delivery: Delivery::Unknown };
    assert_eq!(ends(&events), [abandoned, abandoned]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_may_have_been_acted_on() {
    let left = |delivery| End::Abandoned { delivery };
    let refused = || Answer::broken(std::io::ErrorKind::ConnectionRefused).after(millis(55));
    for (answers, delivery) in [
        ([refused(), Answer::hang()], Delivery::Unknown),
        ([after(503, 55), Answer::hang()], Delivery::Unknown),
    ] {
        let events = EventRecorder::new();
        let emitter = || Emitter::new().with(events.clone());
        let attempt = ObserveLayer::attempt(emitter()).layer(Script::new(answers));
        let service = ObserveLayer::call(emitter()).layer(fixed().layer(attempt));
        assert!(crate::clock::within(millis(70), status(&service, get())).await.is_none());
        let over = events.events().pop();
        let Some(Event::CallFinished { end, .. }) = over else { panic!("{over:?}") };
        assert_eq!(end, left(delivery));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_success_does_not_say_what_the_overtaken_request_did() {
    for (code, delivery) in [(409, Delivery::Unknown), (200, Delivery::Answered)] {
        let events = EventRecorder::new();
        let observed = ObserveLayer::call(Emitter::new().with(events.clone()));
        let provider = Script::new([Answer::hang(), after(code, 10)]);
        let service = observed.layer(fixed().layer(provider));
        assert_eq!(status(&service, get()).await.unwrap(), code);
        let over = events.events().pop();
        let Some(Event::CallFinished { end, .. }) = over else { panic!("{over:?}") };
        assert_eq!(end.delivery(), Some(delivery));
    }
}

#[tokio::test(start_paused = true)]
async fn both_requests_count_as_sent() {
    let events = EventRecorder::new();
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::call(Emitter::new().with(events.clone())))
        .layer(fixed())
        .service(Script::new([Answer::hang(), after(200, 10), after(200, 0)]));
    drop(send(&service, get()).await.unwrap());
    assert_eq!(attempts(&events), 2);
    drop(send(&service, get()).await.unwrap());
    assert_eq!(attempts(&events), 1);
}

#[tokio::test(start_paused = true)]
async fn retries_count_them_too_and_number_on() {
    let provider = Script::new([after(503, 100), after(500, 0), after(200, 0)]);
    let retry = plain().budget(RetryBudget::unlimited());
    let service = retry.layer(fixed().layer(provider.clone()));
    let response = send(&service, get()).await.unwrap();
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((response.status().as_u16(), retries.attempts), (200, 3));
    let numbers: Vec<_> = provider
        .requests()
        .iter()
        .map(|seen| seen.extensions().get::<outrigger::context::Context>().unwrap().attempt())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_that_was_refused_here_never_went_out() {
    let events = EventRecorder::new();
    let provider = Script::new([after(200, 200)]);
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::call(Emitter::new().with(events.clone())))
        .layer(fixed())
        .layer(BulkheadLayer::new(1))
        .service(provider.clone());
    drop(send(&service, get()).await.unwrap());
    assert_eq!((attempts(&events), provider.begun()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_second_request_that_was_still_in_a_queue_never_went_out() {
    let events = EventRecorder::new();
    let (provider, places) = (Script::new([after(200, 200)]), BulkheadLayer::new(1).queue(5));
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::call(Emitter::new().with(events.clone())))
        .layer(fixed())
        .layer(places.clone())
        .service(provider.clone());
    let watched = service.clone();
    let call = begin(async move { send(&watched, get()).await.map(drop) }).await;
    crate::clock::wait(millis(60)).await;
    assert_eq!(places.handle().waiting(), 1);
    call.await.unwrap().unwrap();
    assert_eq!((attempts(&events), provider.begun()), (1, 1));
    assert_eq!((places.handle().in_use(), places.handle().waiting()), (0, 0));
}
