//! How calls and attempts end.

use std::io;

use outrigger::deadline::DeadlineLayer;
use outrigger::event::{End, Event};
use outrigger::observe::ObserveLayer;
use outrigger::outcome::{Class, Fault, HttpClassifier, Phase};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Delivery, Error};
use tower::Layer;

use super::{abandoned, answered, attempt, attempts, call, calls, failed, kept, listener};
use crate::call::{get, send, status};
use crate::clock::{begin, millis, secs, settle, within};
use crate::retry::plain;

#[tokio::test(start_paused = true)]
async fn an_answer_is_told_with_its_status_and_its_class() {
    for (code, class) in [
        (204, Class::Success),
        (207, Class::Partial),
        (401, Class::Unauthorized),
        (404, Class::ClientError),
        (429, Class::Throttled),
        (500, Class::ServerError),
    ] {
        let provider = Script::new([Answer::status(code).after(secs(2))]);
        let (events, layer) = calls();
        assert_eq!(status(&layer.layer(provider.clone()), get()).await.unwrap(), code);
        assert_eq!(kept(&events), call(answered(code, class, true), secs(2)));
        let (events, layer) = attempts();
        assert_eq!(status(&layer.layer(provider), get()).await.unwrap(), code);
        assert_eq!(kept(&events), attempt(answered(code, class, true), secs(2)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_beginning_is_told_when_it_begins() {
    let (events, layer) = calls();
    let service = layer.layer(Script::new([Answer::hang()]));
    let call = begin(async move { status(&service, get()).await }).await;
    assert_eq!(kept(&events), [Event::CallStarted]);
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_with_what_may_have_happened() {
    for (how, fault, delivery) in [
        (io::ErrorKind::ConnectionRefused, Fault::Refused, Delivery::NotSent),
        (io::ErrorKind::ConnectionReset, Fault::Reset, Delivery::Unknown),
    ] {
        let (events, layer) = attempts();
        let provider = Script::new([Answer::broken(how).after(secs(2))]);
        let result: Result<u16, Error> = status(&layer.layer(provider), get()).await;
        let end = failed(Class::Transport(fault), delivery);
        assert_eq!(result.unwrap_err().delivery(), delivery);
        assert_eq!(kept(&events), attempt(end, secs(2)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_told_with_its_phase() {
    let (events, layer) = attempts();
    let limits = TimeoutLayer::new().attempt(secs(2)).layer(Script::new([Answer::hang()]));
    let _: Result<u16, Error> = status(&layer.layer(limits), get()).await;
    let end = failed(Class::Timeout(Phase::Attempt), Delivery::Unknown);
    assert_eq!(kept(&events), attempt(end, secs(2)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_cut_by_the_deadline_is_told_as_the_deadlines() {
    let (told, emitter) = listener();
    let limits = TimeoutLayer::new().attempt(secs(10)).layer(Script::new([Answer::hang()]));
    let service = DeadlineLayer::new(secs(8)).layer(ObserveLayer::attempt(emitter).layer(limits));
    assert!(status(&service, get()).await.is_err());
    let end = failed(Class::Timeout(Phase::Call), Delivery::Unknown);
    assert_eq!(kept(&told), attempt(end, secs(8)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_is_neither_a_success_nor_a_failure() {
    let end = abandoned(Delivery::Unknown);
    for ((events, layer), expected) in
        [(calls(), call(end, secs(2))), (attempts(), attempt(end, secs(2)))]
    {
        let service = layer.layer(Script::new([Answer::hang()]));
        assert!(within(secs(2), status(&service, get())).await.is_none());
        assert_eq!(kept(&events), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_it_was_ever_polled_never_began() {
    for (events, layer) in [calls(), attempts()] {
        let provider = Script::new([Answer::hang()]);
        let mut service = layer.layer(provider.clone());
        drop(tower::Service::call(&mut service, get()));
        assert_eq!((kept(&events), provider.begun()), (vec![], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_attempts_of_a_call_are_counted_and_each_is_told() {
    let (told, emitter) = listener();
    let provider = Script::new([
        Answer::status(503).after(secs(1)),
        Answer::broken(io::ErrorKind::ConnectionReset).after(secs(2)),
        Answer::status(200).after(secs(3)),
    ]);
    let tried = plain().layer(ObserveLayer::attempt(emitter.clone()).layer(provider));
    let service = ObserveLayer::call(emitter).layer(tried);
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    let mut expected = vec![Event::CallStarted];
    expected.extend(attempt(answered(503, Class::ServerError, true), secs(1)));
    let reset = failed(Class::Transport(Fault::Reset), Delivery::Unknown);
    expected.extend(attempt(reset, secs(2)));
    expected.extend(attempt(answered(200, Class::Success, true), secs(3)));
    expected.push(Event::CallFinished {
        end: answered(200, Class::Success, true),
        elapsed: secs(6) + millis(200),
        attempts: 3,
    });
    assert_eq!(kept(&told), expected);
}

#[tokio::test(start_paused = true)]
async fn a_failed_calls_delivery_is_the_worst_of_its_attempts() {
    let (events, layer) = calls();
    let provider = Script::new([
        Answer::broken(io::ErrorKind::ConnectionReset),
        Answer::broken(io::ErrorKind::ConnectionRefused),
    ]);
    assert!(status(&layer.layer(plain().layer(provider)), get()).await.is_err());
    let end = failed(Class::Transport(Fault::Refused), Delivery::Unknown);
    let over = Event::CallFinished { end, elapsed: millis(200), attempts: 3 };
    assert_eq!(kept(&events), [Event::CallStarted, over]);
}

#[tokio::test(start_paused = true)]
async fn a_call_abandoned_during_a_wait_tells_the_attempts_until_then() {
    let (events, layer) = calls();
    let service = layer.layer(plain().layer(Script::new([Answer::status(503)])));
    assert!(within(millis(150), status(&service, get())).await.is_none());
    let end = abandoned(Delivery::Answered);
    let over = Event::CallFinished { end, elapsed: millis(150), attempts: 2 };
    assert_eq!(kept(&events), [Event::CallStarted, over]);
}

#[tokio::test(start_paused = true)]
async fn what_an_abandoned_call_may_have_done_is_the_worst_of_its_attempts() {
    let (broken, hang) = (Answer::broken(io::ErrorKind::ConnectionReset), Answer::hang());
    let refused = Answer::broken(io::ErrorKind::ConnectionRefused);
    for (answers, delivery) in [
        ([refused.clone(), refused.clone()], Delivery::NotSent),
        ([broken, refused.clone()], Delivery::Unknown),
        ([refused, hang], Delivery::Unknown),
    ] {
        let (told, emitter) = listener();
        let attempt = ObserveLayer::attempt(emitter.clone()).layer(Script::new(answers));
        let service = ObserveLayer::call(emitter).layer(plain().layer(attempt));
        assert!(within(millis(150), status(&service, get())).await.is_none());
        let end = abandoned(delivery);
        let over = Event::CallFinished { end, elapsed: millis(150), attempts: 2 };
        assert_eq!(kept(&told).pop(), Some(over));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_success_does_not_say_what_earlier_attempts_did() {
    for (code, class, delivery) in
        [(404, Class::ClientError, Delivery::Unknown), (200, Class::Success, Delivery::Answered)]
    {
        let (events, layer) = calls();
        let broken = Answer::broken(io::ErrorKind::ConnectionReset);
        let provider = Script::new([broken, Answer::status(code)]);
        assert_eq!(status(&layer.layer(plain().layer(provider)), get()).await.unwrap(), code);
        let status = http::StatusCode::from_u16(code).unwrap();
        let end = End::Answered { class, status, body_read: true, delivery };
        let over = Event::CallFinished { end, elapsed: millis(100), attempts: 2 };
        assert_eq!(kept(&events).pop(), Some(over));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_twice() {
    let (events, layer) = calls();
    let service = layer.layer(Script::new([Answer::broken(io::ErrorKind::ConnectionReset)]));
    let mut failing = Box::pin(send(&service, get()));
    assert!(failing.as_mut().await.is_err());
    assert_eq!(kept(&events).len(), 2);
    drop(failing);
    drop(service);
    settle().await;
    assert_eq!(kept(&events).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_of_ones_own_is_heard_once_for_a_failure() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    let asked = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&asked);
    let own = HttpClassifier::new().with(move |head| {
        counts.fetch_add(1, Ordering::SeqCst);
        (head.status == 430).then_some(Class::Throttled)
    });
    let own: Arc<dyn outrigger::outcome::Classify> = Arc::new(own);
    let (told, emitter) = listener();
    let provider = Script::new([Answer::status(430)]);
    let inner = ObserveLayer::attempt(emitter.clone()).classifier(Arc::clone(&own));
    let service = ObserveLayer::call(emitter).classifier(own).layer(inner.layer(provider));
    assert_eq!(status(&service, get()).await.unwrap(), 430);
    let ends = told.count(|event| match event {
        Event::CallFinished { end, .. } | Event::AttemptFinished { end, .. } => {
            *end == answered(430, Class::Throttled, true)
        }
        _ => false,
    });
    assert_eq!((ends, asked.load(Ordering::SeqCst)), (2, 1));
}

/// Every failure is of one class.
struct All(Class);

impl outrigger::outcome::Classify for All {
    fn response(&self, _: &outrigger::outcome::ResponseHead<'_>) -> Class {
        self.0
    }

    fn error(&self, _: &Error) -> Class {
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_found_further_in_stands_whatever_a_classifier_further_out_would_say() {
    for how in [Answer::broken(io::ErrorKind::ConnectionReset), Answer::status(500)] {
        let (told, emitter) = listener();
        let inner = ObserveLayer::attempt(emitter.clone()).classifier(All(Class::Invalid));
        let outer = ObserveLayer::call(emitter).classifier(All(Class::Throttled));
        let service = outer.layer(inner.layer(Script::new([how.clone()])));
        let _ = status(&service, get()).await;
        let found = |end: &End| match end {
            End::Answered { class, .. } | End::Failed { class, .. } => *class == Class::Invalid,
            _ => false,
        };
        let ends = told.count(|event| match event {
            Event::CallFinished { end, .. } | Event::AttemptFinished { end, .. } => found(end),
            _ => false,
        });
        assert_eq!(ends, 2, "{how:?}");
    }
}
