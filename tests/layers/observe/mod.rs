//! Calls and attempts, told when they begin and when they end.

mod bodies;
mod calls;
mod listeners;
mod others;
mod unsent;

use std::time::Duration;

use outrigger::Delivery;
use outrigger::event::{AttemptDetail, Emitter, End, Event};
use outrigger::observe::ObserveLayer;
use outrigger::outcome::Class;
use outrigger::testing::EventRecorder;

/// A recorder, and a layer that tells it of calls.
fn calls() -> (EventRecorder, ObserveLayer) {
    let (events, emitter) = listener();
    (events, ObserveLayer::call(emitter))
}

/// A recorder, and a layer that tells it of attempts.
fn attempts() -> (EventRecorder, ObserveLayer) {
    let (events, emitter) = listener();
    (events, ObserveLayer::attempt(emitter))
}

fn listener() -> (EventRecorder, Emitter) {
    let events = EventRecorder::new();
    let emitter = Emitter::named("crm").with(events.clone());
    (events, emitter)
}

/// What was told of beginnings and ends, without what lies between them.
fn kept(told: &EventRecorder) -> Vec<Event> {
    let told = told.events().into_iter();
    let told = told.filter(|event| !matches!(event, Event::AttemptAnswered { .. }));
    told.map(|event| match event {
        Event::AttemptFinished { end, elapsed, .. } => {
            Event::AttemptFinished { end, elapsed, detail: AttemptDetail::default() }
        }
        other => other,
    })
    .collect()
}

/// A call that took one attempt, from its start to its end.
fn call(end: End, elapsed: Duration) -> Vec<Event> {
    vec![Event::CallStarted, Event::CallFinished { end, elapsed, attempts: 1 }]
}

fn attempt(end: End, elapsed: Duration) -> Vec<Event> {
    vec![
        Event::AttemptStarted,
        Event::AttemptFinished { end, elapsed, detail: AttemptDetail::default() },
    ]
}

fn answered(status: u16, class: Class, body_read: bool) -> End {
    let status = http::StatusCode::from_u16(status).unwrap();
    End::Answered { class, status, body_read, delivery: Delivery::Answered }
}

fn abandoned(delivery: Delivery) -> End {
    End::Abandoned { delivery }
}

fn failed(class: Class, delivery: Delivery) -> End {
    End::Failed { class, delivery }
}
