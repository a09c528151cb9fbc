//! For which outcomes it answers.

use std::io::ErrorKind as Io;

use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::outcome::{Class, Classify, HttpClassifier, Rejection, ResponseHead};
use outrigger::rate_limit::RateLimitLayer;
use outrigger::testing::Answer;
use outrigger::timeout::TimeoutLayer;
use outrigger::{Delivery, Error, ErrorKind};
use tower::Layer;

use super::{Covered, rates};
use crate::call::{get, send, status};
use crate::clock::{begin, secs, timed};
use crate::provider::Provider;

#[tokio::test(start_paused = true)]
async fn it_answers_for_what_the_provider_is_to_blame_for_and_not_for_errors_of_ours() {
    let crm = Covered::by(rates(), Answer::status(200));
    for (code, covered) in [
        (200, false),
        (207, false),
        (304, false),
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (409, false),
        (422, false),
        (429, true),
        (500, true),
        (501, true),
        (502, true),
        (503, true),
        (504, true),
        (999, true),
    ] {
        crm.provider.set(Answer::status(code));
        let expected = if covered { 203 } else { code };
        assert_eq!(status(&crm.service, get()).await.unwrap(), expected, "{code}");
    }
    assert_eq!(crm.told(), (7, 0), "who isn't asked has not failed");
    for how in [Io::ConnectionRefused, Io::ConnectionReset, Io::UnexpectedEof, Io::Other] {
        crm.provider.set(Answer::broken(how));
        assert_eq!(status(&crm.service, get()).await.unwrap(), 203, "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_answers_for_what_never_reached_the_provider() {
    let breaker = CircuitBreakerLayer::new();
    breaker.handle().force_open();
    let service = rates().layer(breaker.layer(Provider::new(Answer::status(200))));
    assert_eq!(status(&service, get()).await.unwrap(), 203);

    let service = rates().layer(BulkheadLayer::new(1).layer(Provider::new(Answer::hang())));
    let held = service.clone();
    let _held = begin(async move { status(&held, get()).await }).await;
    assert_eq!(status(&service, get()).await.unwrap(), 203);

    let limited = RateLimitLayer::learning().max_wait(secs(1));
    limited.handle().pause(secs(60));
    let service = rates().layer(limited.layer(Provider::new(Answer::status(200))));
    assert_eq!(status(&service, get()).await.unwrap(), 203);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_gets_it_at_its_deadline() {
    let slow = Provider::new(Answer::hang());
    let service = rates().layer(DeadlineLayer::new(secs(8)).layer(slow.clone()));
    let (took, response) = timed(send(&service, get())).await;
    let response = response.unwrap();
    let mark = response.extensions().get::<outrigger::fallback::FellBack>().unwrap();
    assert_eq!((took, response.status().as_u16()), (secs(8), 203));
    assert_eq!((mark.status, mark.delivery), (None, Delivery::Unknown));
    let service = rates().layer(TimeoutLayer::new().attempt(secs(3)).layer(slow));
    assert_eq!(timed(status(&service, get())).await.0, secs(3));
}

#[tokio::test(start_paused = true)]
async fn when_decides_in_place_of_the_default() {
    let layer = rates().when(|failed| failed.class == Class::ClientError);
    let crm = Covered::by(layer, Answer::status(404));
    assert_eq!(status(&crm.service, get()).await.unwrap(), 203);
    crm.provider.set(Answer::status(500));
    assert_eq!(status(&crm.service, get()).await.unwrap(), 500);
    assert_eq!(crm.told(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_classifier_says_what_a_failure_is() {
    let liar = HttpClassifier::new()
        .with(|head| head.headers.contains_key("x-error").then_some(Class::Invalid));
    let crm = Covered::by(rates().classifier(liar), Answer::status(200).header("x-error", "1"));
    assert_eq!(status(&crm.service, get()).await.unwrap(), 203);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_is_set_to_the_fallback_gets_it_whatever_when_says() {
    for layer in [rates(), rates().when(|_| false)] {
        let switch = KillSwitchLayer::new();
        let provider = Provider::new(Answer::status(200));
        let service = layer.layer(switch.layer(provider.clone()));
        switch.handle().set(SwitchMode::FallbackOnly, "ada", "");
        assert_eq!((status(&service, get()).await.unwrap(), provider.begun()), (203, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_is_off_gets_none_whatever_when_says() {
    for layer in [rates(), rates().when(|_| true)] {
        let switch = KillSwitchLayer::new();
        let provider = Provider::new(Answer::status(200));
        let service = layer.layer(switch.layer(provider.clone()));
        switch.handle().set(SwitchMode::Off, "ada", "");
        let error = status(&service, get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
        assert_eq!(provider.begun(), 0);
    }
}

/// For it, whatever has no answer is the provider's fault.
struct Blaming;

impl Classify for Blaming {
    fn response(&self, head: &ResponseHead<'_>) -> Class {
        HttpClassifier::new().response(head)
    }

    fn error(&self, _: &Error) -> Class {
        Class::ServerError
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_obeyed_whatever_a_classifier_says() {
    for (mode, answered) in [(SwitchMode::Off, None), (SwitchMode::FallbackOnly, Some(203))] {
        let layer = rates().when(move |_| mode == SwitchMode::Off).classifier(Blaming);
        let switch = KillSwitchLayer::new();
        let service = layer.layer(switch.layer(Provider::new(Answer::status(200))));
        switch.handle().set(mode, "ada", "");
        assert_eq!(status(&service, get()).await.ok(), answered, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_is_set_to_the_cache_gets_it_where_no_cache_answered() {
    let switch = KillSwitchLayer::new();
    let asked = |layer: FallbackLayer| layer.layer(switch.layer(Provider::new(Answer::hang())));
    let (covered, declined) = (asked(rates()), asked(rates().when(|_| false)));
    switch.handle().set(SwitchMode::CacheOnly, "ada", "");
    assert_eq!(status(&covered, get()).await.unwrap(), 203);
    let error = status(&declined, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CacheOnly));
}
