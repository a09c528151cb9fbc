//! Who is told, and what it costs when nobody is.

use std::sync::{Arc, Mutex};

use outrigger::context::{CallId, Context};
use outrigger::event::{Emitter, Event, Origin, Subscriber};
use outrigger::observe::ObserveLayer;
use outrigger::outcome::{Class, Classify, ResponseHead};
use outrigger::testing::{Answer, EventRecorder, Script};
use tower::Layer;

use super::kept;
use crate::call::{get, status};
use crate::clock::spawn;
use crate::retry::plain;

/// Who each event was of: the integration, the call, the attempt.
#[derive(Clone, Default)]
struct Origins(Arc<Mutex<Vec<Of>>>);

type Of = (Option<String>, CallId, u32);

impl Subscriber for Origins {
    fn on_event(&self, _: &Event, origin: &Origin<'_>) {
        let context = origin.context().expect("these are events of a call");
        let integration = origin.integration().map(Into::into);
        self.0.lock().unwrap().push((integration, context.call_id(), context.attempt()));
    }
}

/// Must not be asked.
struct Unasked;

impl Classify for Unasked {
    fn response(&self, _: &ResponseHead<'_>) -> Class {
        panic!("nobody listens")
    }
}

#[tokio::test(start_paused = true)]
async fn every_event_says_of_which_call_and_attempt_it_is() {
    let origins = Origins::default();
    let emitter = Emitter::named("crm").with(origins.clone());
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let observed = plain().layer(ObserveLayer::attempt(emitter.clone()).layer(provider.clone()));
    let service = ObserveLayer::call(emitter).layer(observed);
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    let call = provider.requests()[0].extensions().get::<Context>().unwrap().call_id();
    let of = |attempt| (Some("crm".to_owned()), call, attempt);
    let told = [of(1), of(1), of(1), of(1), of(2), of(2), of(2), of(1)];
    assert_eq!(*origins.0.lock().unwrap(), told);
}

#[tokio::test(start_paused = true)]
async fn every_listener_is_told() {
    let (first, second) = (EventRecorder::new(), EventRecorder::new());
    let emitter = Emitter::new().with(first.clone()).with(second.clone());
    let service = ObserveLayer::call(emitter).layer(Script::new([Answer::status(200)]));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(kept(&first).len(), 2);
    assert_eq!(kept(&first), kept(&second));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_added_to_a_copy_is_told_nothing_of_the_original() {
    let (first, second) = (EventRecorder::new(), EventRecorder::new());
    let original = Emitter::named("crm").with(first.clone());
    let copy = original.clone().with(second.clone());
    assert!(copy.is_listened_to());
    let service = ObserveLayer::call(original).layer(Script::new([Answer::status(200)]));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!((kept(&first).len(), kept(&second).len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_built_when_nobody_listens() {
    for emitter in [Emitter::new(), Emitter::named("crm")] {
        assert!(!emitter.is_listened_to());
        for layer in [ObserveLayer::call(emitter.clone()), ObserveLayer::attempt(emitter)] {
            let provider = Script::new([Answer::status(500)]);
            let service = layer.classifier(Unasked).layer(provider.clone());
            assert_eq!(status(&service, get()).await.unwrap(), 500);
            let request = provider.requests().remove(0);
            assert!(request.extensions().get::<Context>().is_none(), "nobody asked for it");
        }
    }
}

/// Must not be heard of.
struct Panics;

impl Subscriber for Panics {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        panic!("told of {event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_harms_no_call_and_no_other_listener() {
    let told = EventRecorder::new();
    let emitter = Emitter::named("crm").with(Panics).with(told.clone()).with(Panics);
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let observed = plain().layer(ObserveLayer::attempt(emitter.clone()).layer(provider));
    let service = ObserveLayer::call(emitter).layer(observed);
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(kept(&told).len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_while_a_call_is_torn_down_takes_nothing_else_along() {
    let told = EventRecorder::new();
    let emitter = Emitter::named("crm").with(Panics).with(told.clone());
    let service = ObserveLayer::call(emitter).layer(Script::new([Answer::hang()]));
    let torn = spawn(async move {
        let mut call = Box::pin(status(&service, get()));
        assert!(futures_util::poll!(&mut call).is_pending());
        panic!("in the midst of it");
    });
    assert!(torn.await.unwrap_err().is_panic());
    assert_eq!(kept(&told).len(), 2);
}
