//! Beside the layers that stand around it.

use std::future::Future;

use http::Request;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::context::Context;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::{BreakerState, Emitter, End, Event, SwitchMode};
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::observe::ObserveLayer;
use outrigger::outcome::{Class, GaveUp, Phase};
use outrigger::rate_limit::RateLimitLayer;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Body, Delivery, Error, Ratio};
use tower::{Layer, Service, service_fn};

use super::{Hedged, after, fixed, heard, sent};
use crate::call::{fetch, get, status};
use crate::clock::{begin, millis, secs, settle, timed, wait, within};
use crate::provider::{Provider, Streaming, piped};

fn breaker() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new()
        .window_of_calls(10)
        .failure_rate(Ratio::percent(50), 1)
        .without_consecutive()
        .open_for(secs(5), secs(60))
        .open_jitter(Ratio::ZERO)
        .probes(1, 1)
}

/// A call that can be begun in a task of its own.
fn calling<S, R>(service: &S) -> impl Future<Output = Result<u16, Error>> + Send + 'static
where
    S: Service<Request<Body>, Response = http::Response<R>, Error = Error>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    R: Send + 'static,
{
    let service = service.clone();
    async move { status(&service, get()).await }
}

#[tokio::test(start_paused = true)]
async fn a_probe_of_a_breaker_is_not_doubled() {
    let (hedge, events) = heard(fixed());
    let (guard, provider) = (breaker(), Script::new([after(500, 0), after(200, 200)]));
    let service = hedge.layer(guard.layer(provider.clone()));
    status(&service, get()).await.unwrap();
    assert_eq!(guard.handle().state(), BreakerState::Open);
    wait(secs(5)).await;
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!((provider.begun(), guard.handle().state()), (2, BreakerState::Closed));
    assert_eq!(events.events(), [Event::HedgeSkipped { why: GaveUp::CircuitOpen }]);
}

#[tokio::test(start_paused = true)]
async fn nothing_more_goes_into_a_breaker_that_opened_meanwhile() {
    let (guard, provider) = (breaker(), Script::new([after(200, 200)]));
    let told = EventRecorder::new();
    let observed = ObserveLayer::call(Emitter::new().with(told.clone()));
    let service = observed.layer(fixed().layer(guard.layer(provider.clone())));
    let call = begin(calling(&service)).await;
    guard.handle().force_open();
    assert_eq!((call.await.unwrap().unwrap(), provider.begun()), (200, 1));
    let finished = told.events().pop().unwrap();
    assert!(matches!(finished, Event::CallFinished { attempts: 1, .. }), "{finished:?}");
}

#[tokio::test(start_paused = true)]
async fn an_overtaken_request_does_not_speak_against_the_provider() {
    for answers in [[Answer::hang(), after(200, 10)], [after(200, 100), Answer::hang()]] {
        let guard = breaker().failure_rate(Ratio::percent(1), 1).abandoned_after(millis(1));
        let service = fixed().layer(guard.layer(Script::new(answers)));
        assert_eq!(status(&service, get()).await.unwrap(), 200);
        let counts = guard.handle().counts();
        assert_eq!((counts.calls, counts.failed, counts.abandoned), (1, 0, 0));
        assert_eq!(guard.handle().state(), BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_requests_time_is_counted_from_when_it_left() {
    let guard = breaker().minimum(10).abandoned_after(millis(60));
    let service = fixed().layer(guard.layer(Script::new([Answer::hang()])));
    assert!(within(millis(80), status(&service, get())).await.is_none());
    let counts = guard.handle().counts();
    // The first was waited for in vain; 30 ms say nothing of the second.
    assert_eq!((counts.abandoned, counts.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_queues_for_a_place_is_not_doubled_before_it_has_left() {
    let places = BulkheadLayer::new(2).queue(10);
    let (hedge, events) = heard(fixed());
    let provider = Provider::new(after(200, 500));
    let inner = places.layer(provider.clone());
    let service = hedge.layer(inner.clone());
    let _held = [begin(calling(&inner)).await, begin(calling(&inner)).await];
    let call = begin(calling(&service)).await;
    wait(millis(499)).await;
    assert_eq!((provider.begun(), events.events()), (2, vec![]));
    call.await.unwrap().unwrap();
    assert_eq!((provider.begun(), events.events().len()), (4, 2), "doubled once it had");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_turn_is_not_doubled_before_it_has_left() {
    let limit = RateLimitLayer::learning();
    let provider = Provider::new(after(200, 40));
    let (hedge, events) = heard(fixed());
    let service = hedge.layer(limit.layer(provider.clone()));
    limit.handle().pause(secs(2));
    let (took, code) = timed(status(&service, get())).await;
    assert_eq!((took, code.unwrap()), (millis(2_040), 200));
    assert_eq!((provider.begun(), events.events()), (1, vec![]), "40 ms aren't slow");
    provider.set(after(200, 100));
    limit.handle().pause(secs(2));
    status(&service, get()).await.unwrap();
    assert_eq!(events.events()[0], sent(), "50 ms after it had its turn");
}

#[tokio::test(start_paused = true)]
async fn where_retries_are_stopped_nothing_is_doubled() {
    let crm = Hedged::fixed([after(200, 100)]);
    let switch = KillSwitchLayer::new();
    let service = switch.layer(crm.service.clone());
    switch.handle().set(SwitchMode::NoRetries, "ada", "");
    assert_eq!((status(&service, get()).await.unwrap(), crm.provider.begun()), (200, 1));
    // One that is under way is asked when the time has come.
    switch.handle().set(SwitchMode::On, "ada", "");
    let call = begin(calling(&service)).await;
    switch.handle().set(SwitchMode::Off, "ada", "");
    assert_eq!((call.await.unwrap().unwrap(), crm.provider.begun()), (200, 2));
    assert_eq!(crm.events.events(), [Event::HedgeSkipped { why: GaveUp::Stopped }; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_both() {
    let told = EventRecorder::new();
    let observed = ObserveLayer::attempt(Emitter::new().with(told.clone()));
    let (guard, provider) = (breaker().minimum(10), Script::new([Answer::hang()]));
    let service = fixed().layer(guard.layer(observed.layer(provider.clone())));
    let service = DeadlineLayer::new(millis(80)).layer(service);
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_eq!((took, error.delivery(), error.attempts()), (millis(80), Delivery::Unknown, 2));
    let cut = End::Failed { class: Class::Timeout(Phase::Call), delivery: Delivery::Unknown };
    let ends =
        told.count(|event| matches!(event, Event::AttemptFinished { end, .. } if *end == cut));
    assert_eq!((ends, provider.begun()), (2, 2), "{:?}", told.events());
    assert_eq!(guard.handle().counts().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_cuts_the_seconds_body_is_no_choice_of_the_callers() {
    let told = EventRecorder::new();
    let observed = ObserveLayer::attempt(Emitter::new().with(told.clone()));
    let (_pipe, body) = piped();
    let streaming = Streaming::new([body]);
    let provider = service_fn(move |request: Request<_>| {
        let mut streaming = streaming.clone();
        async move {
            match request.extensions().get::<Context>().unwrap().attempt() {
                1 => std::future::pending().await,
                _ => streaming.call(request).await,
            }
        }
    });
    let service = fixed().layer(observed.layer(provider));
    let service = DeadlineLayer::new(millis(80)).layer(service);
    assert!(fetch(&service, get()).await.unwrap_err().is_timeout());
    let cut = End::Failed { class: Class::Timeout(Phase::Call), delivery: Delivery::Answered };
    let ends = |end: End| {
        told.count(|event| matches!(event, Event::AttemptFinished { end: of, .. } if *of == end))
    };
    assert_eq!((ends(End::Overtaken), ends(cut)), (1, 1), "{:?}", told.events());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_must_end_before_its_time_is_not_doubled() {
    let crm = Hedged::fixed([Answer::hang()]);
    let service = DeadlineLayer::new(millis(50)).layer(crm.service.clone());
    let (took, result) = timed(status(&service, get())).await;
    assert!(result.unwrap_err().is_timeout());
    settle().await;
    assert_eq!((took, crm.provider.begun()), (millis(50), 1));
}
