//! What is kept, so that a flow can be repaired.

use std::io::ErrorKind as Io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use outrigger::context::{BusinessKey, PathTemplate};
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::{Emitter, SwitchMode};
use outrigger::fallback::{FallbackLayer, FallbackRecord, FallbackRecorder};
use outrigger::idempotency::IdempotencyLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::outcome::{Class, Fault, Phase};
use outrigger::rt::Clock;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery, IdempotencyKey};
use tower::{Layer, ServiceBuilder};

use super::{made_up, rates};
use crate::call::{get, post, send, status};
use crate::clock::{millis, secs, wait, within};
use crate::provider::Provider;
use crate::retry::plain;

/// Keeps records in memory.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<FallbackRecord>>>);

impl FallbackRecorder for Kept {
    fn record(&self, record: FallbackRecord) {
        self.0.lock().unwrap().push(record);
    }
}

impl Kept {
    fn all(&self) -> Vec<FallbackRecord> {
        self.0.lock().unwrap().clone()
    }
}

fn charge() -> Request<Body> {
    let mut request = post("amount=1000");
    let extensions = request.extensions_mut();
    extensions.insert(PathTemplate::new("/v1/charges"));
    extensions.insert(BusinessKey::new("order 1042"));
    extensions.insert(IdempotencyKey::new("charge-1042").unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_record_holds_all_that_is_needed_to_repair_the_flow() {
    let (kept, provider) = (
        Kept::default(),
        Script::new([
            Answer::status(503),
            Answer::broken(Io::ConnectionReset),
            Answer::status(502),
        ]),
    );
    let anchor = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let fallback = rates().record_to(kept.clone()).clock(Clock::anchored(anchor));
    let service = ServiceBuilder::new()
        .layer(CorrelationLayer::new())
        .layer(fallback.emitter(Emitter::named("crm")))
        .layer(IdempotencyLayer::default())
        .layer(plain())
        .service(provider.clone());
    wait(secs(60)).await;
    assert_eq!(status(&service, charge()).await.unwrap(), 203);
    let [record] = &kept.all()[..] else { panic!("one record: {:?}", kept.all()) };
    let sent = &provider.requests()[0];
    let context = sent.extensions().get::<outrigger::context::Context>().unwrap();
    assert_eq!(record.at, anchor + secs(60) + millis(200), "the moment it was known");
    assert_eq!(record.integration.as_deref(), context.integration());
    assert_eq!(record.method, Method::POST);
    assert_eq!(record.path, Some(PathTemplate::new("/v1/charges")));
    assert_eq!(record.business_key, Some(BusinessKey::new("order 1042")));
    assert_eq!(record.idempotency_key.as_deref(), Some("charge-1042"));
    assert_eq!(record.idempotency_key.as_deref(), sent.headers()["idempotency-key"].to_str().ok());
    assert_eq!(record.correlation_id.as_ref(), context.correlation_id());
    assert!(record.correlation_id.is_some());
    assert_eq!(record.call_id, context.call_id());
    assert_eq!((record.attempts, record.elapsed), (3, millis(200)));
    assert_eq!((record.class, record.status), (Class::ServerError, Some(StatusCode::BAD_GATEWAY)));
    assert_eq!((record.error.clone(), record.delivery), (None, Delivery::Unknown));
}

#[tokio::test(start_paused = true)]
async fn where_there_was_no_answer_the_error_is_recorded() {
    let kept = Kept::default();
    let hung = DeadlineLayer::new(secs(8)).layer(Provider::new(Answer::hang()));
    let service = rates().record_to(kept.clone()).layer(hung);
    assert_eq!(status(&service, get()).await.unwrap(), 203);
    let record = kept.all().remove(0);
    assert_eq!(record.error.as_deref(), Some("call timed out after 8s at api.example:443"));
    assert_eq!(record.class, Class::Timeout(Phase::Call));
    assert_eq!((record.status, record.delivery), (None, Delivery::Unknown));
    assert_eq!((record.attempts, record.elapsed), (1, secs(8)));
    assert_eq!((record.integration, record.path, record.business_key), (None, None, None));
    assert_eq!((record.idempotency_key, record.correlation_id), (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_here_went_out_no_time() {
    let (kept, breaker) = (Kept::default(), outrigger::circuit_breaker::CircuitBreakerLayer::new());
    breaker.handle().force_open();
    let service =
        rates().record_to(kept.clone()).layer(breaker.layer(Script::new([Answer::hang()])));
    assert_eq!(status(&service, get()).await.unwrap(), 203);
    let record = kept.all().remove(0);
    assert_eq!((record.attempts, record.delivery), (0, Delivery::NotSent));
    assert_eq!(
        record.error.as_deref(),
        Some("circuit breaker open for api.example:443: forced open 0.0s ago")
    );
}

/// A stack that is stopped above the layer that gives keys.
async fn stopped(layer: FallbackLayer, request: Request<Body>) -> FallbackRecord {
    let (kept, switch) = (Kept::default(), KillSwitchLayer::new());
    switch.handle().set(SwitchMode::FallbackOnly, "ada", "");
    let service = ServiceBuilder::new()
        .layer(layer.record_to(kept.clone()))
        .layer(switch)
        .layer(IdempotencyLayer::default())
        .service(Provider::new(Answer::hang()));
    assert_eq!(status(&service, request).await.unwrap(), 203);
    kept.all().remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_stopped_before_it_has_a_key_is_recorded_under_its_callers_own() {
    let record = stopped(rates(), charge()).await;
    assert_eq!((record.idempotency_key.as_deref(), record.attempts), (Some("charge-1042"), 0));

    for (name, layer) in [
        ("idempotency-key", rates()),
        ("paypal-request-id", rates().key_header(HeaderName::from_static("paypal-request-id"))),
    ] {
        let keyed = |key: &'static str| {
            let mut request = post("amount=1000");
            request.headers_mut().insert(name, HeaderValue::from_static(key));
            request
        };
        let record = stopped(layer.clone(), keyed("charge-7")).await;
        assert_eq!(record.idempotency_key.as_deref(), Some("charge-7"), "{name}");
        let record = stopped(layer.clone(), keyed("")).await;
        assert_eq!(record.idempotency_key, None, "an empty one is none");

        // What is meant for us is more than what stands in a header.
        let mut both = charge();
        both.headers_mut().insert(name, HeaderValue::from_static("charge-7"));
        let record = stopped(layer, both).await;
        assert_eq!(record.idempotency_key.as_deref(), Some("charge-1042"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_status_of_earlier_attempts_is_recorded() {
    let kept = Kept::default();
    let answers = [Answer::status(503), Answer::broken(Io::ConnectionRefused)];
    let service = rates().record_to(kept.clone()).layer(plain().layer(Script::new(answers)));
    assert_eq!(status(&service, get()).await.unwrap(), 203);
    let record = kept.all().remove(0);
    assert_eq!(record.class, Class::Transport(Fault::Refused));
    assert_eq!(record.status, Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!((record.attempts, record.delivery), (3, Delivery::Answered));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_of_a_success_or_where_the_fallback_declined() {
    let kept = Kept::default();
    let declining = FallbackLayer::function(|_| None).record_to(kept.clone());
    let choosy = rates().when(|_| false).record_to(kept.clone());
    let late = FallbackLayer::async_function(|_| async {
        wait(secs(5)).await;
        Some(made_up())
    });
    let late = late.record_to(kept.clone());
    for layer in [declining, choosy, late] {
        let service = layer.layer(Provider::new(Answer::status(500)));
        assert_eq!(status(&service, get()).await.unwrap(), 500);
    }
    let fine = rates().record_to(kept.clone()).layer(Provider::new(Answer::status(200)));
    assert_eq!(status(&fine, get()).await.unwrap(), 200);
    assert!(kept.all().is_empty(), "{:?}", kept.all());
}

#[tokio::test(start_paused = true)]
async fn an_async_answer_is_recorded_once_it_is_there() {
    let kept = Kept::default();
    let layer = FallbackLayer::async_function(|_| async {
        wait(millis(300)).await;
        Some(made_up())
    });
    let layer = layer.record_to(kept.clone());
    let service = layer.layer(Provider::new(Answer::status(500).after(secs(1))));
    assert!(within(millis(1_200), send(&service, get())).await.is_none());
    assert!(kept.all().is_empty(), "the caller is gone: nobody was told anything");
    assert_eq!(status(&service, get()).await.unwrap(), 203);
    assert_eq!(kept.all().len(), 1);
    assert_eq!(kept.all()[0].elapsed, secs(1), "until it had failed");
}
