//! What the caller gets.

use std::error::Error as _;
use std::io::{self, ErrorKind as Io};
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode, Version};
use http_body_util::BodyExt;
use outrigger::context::PathTemplate;
use outrigger::event::Event;
use outrigger::fallback::{FallbackLayer, FellBack};
use outrigger::outcome::{Class, Fault};
use outrigger::testing::{Answer, Script};
use outrigger::{Delivery, ErrorKind};
use tower::Layer;

use super::{Covered, made_up, rates};
use crate::call::{fetch, get, send, status};
use crate::provider::{Streaming, streamed};

#[tokio::test(start_paused = true)]
async fn a_value_is_answered_whole_again_and_again_and_is_marked() {
    #[derive(Clone, Debug, PartialEq)]
    struct Own(u32);
    let mut value = made_up().map(|_| "yesterday's");
    *value.version_mut() = Version::HTTP_10;
    value.extensions_mut().insert(Own(7));
    let crm = Covered::by(FallbackLayer::value(value), Answer::status(500));
    for _ in 0..3 {
        let response = send(&crm.service, get()).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (203, Version::HTTP_10));
        assert_eq!(response.headers()["x-rates"], "old");
        assert_eq!(response.extensions().get(), Some(&Own(7)));
        let mark = *response.extensions().get::<FellBack>().unwrap();
        assert_eq!((mark.class, mark.delivery), (Class::ServerError, Delivery::Answered));
        assert_eq!(mark.status, Some(StatusCode::INTERNAL_SERVER_ERROR));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "yesterday's");
    }
    let fell = Event::FellBack { class: Class::ServerError, delivery: Delivery::Answered };
    assert_eq!(crm.events.events(), [fell; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_function_sees_what_failed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let layer = FallbackLayer::function(move |failed| {
        let path = failed.path.as_ref().map(|path| path.as_str().to_owned());
        let error = failed.error.as_ref().map(ToString::to_string);
        let of = failed.context().integration().map(ToOwned::to_owned);
        let facts = (failed.method.clone(), path, failed.status, error, failed.delivery, of);
        note.lock().unwrap().push(facts);
        Some(made_up())
    });
    let crm = Covered::by(layer, Answer::status(503));
    let mut request = get();
    request.extensions_mut().insert(PathTemplate::new("/v1/charges"));
    assert_eq!(status(&crm.service, request).await.unwrap(), 203);
    crm.provider.set(Answer::broken(Io::ConnectionReset));
    assert_eq!(fetch(&crm.service, get()).await.unwrap(), "yesterday's");
    let (answered, broken) = (Delivery::Answered, Delivery::Unknown);
    let (path, unavailable) = (Some("/v1/charges".to_owned()), StatusCode::SERVICE_UNAVAILABLE);
    let (crm, reset) = (Some("crm".to_owned()), Some("crm: connection reset".to_owned()));
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (Method::GET, path, Some(unavailable), None, answered, crm.clone()),
            (Method::GET, None, None, reset, broken, crm),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_that_has_no_answer_leaves_the_failed_answer_as_it_was() {
    let layer = FallbackLayer::function(|_| None);
    let answer = Answer::status(503).header("x-reason", "tired").body("come back later");
    let crm = Covered::by(layer, answer);
    let response = send(&crm.service, get()).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-reason"]),
        (503, &"tired".parse().unwrap())
    );
    assert!(response.extensions().get::<FellBack>().is_none());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "come back later");
    assert_eq!(crm.events.events(), [Event::FallbackFailed { class: Class::ServerError }]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_has_no_answer_leaves_the_error_as_it_was() {
    let crm = Covered::by(FallbackLayer::function(|_| None), Answer::broken(Io::ConnectionReset));
    let error = status(&crm.service, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!((error.delivery(), error.integration()), (Delivery::Unknown, Some("crm")));
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!((source.kind(), crm.told()), (Io::ConnectionReset, (0, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_success_is_untouched() {
    let crm = Covered::by(rates(), Answer::status(200).header("x-rates", "new").body("today's"));
    let response = send(&crm.service, get()).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-rates"]),
        (200, &"new".parse().unwrap())
    );
    assert!(response.extensions().get::<FellBack>().is_none());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!((&body[..], crm.told()), (&b"today's"[..], (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_after_a_good_head_is_past_covering() {
    let (pipe, body) = crate::provider::piped();
    pipe.break_off();
    let service = rates().layer(Streaming::new([body, streamed(&["a", "b"])]));
    assert!(fetch(&service, get()).await.is_err());
    assert_eq!(fetch(&service, get()).await.unwrap(), "ab");
}

#[tokio::test(start_paused = true)]
async fn without_a_fallback_failures_stay_failures() {
    let crm = Covered::by(FallbackLayer::disabled(), Answer::status(500));
    assert_eq!(status(&crm.service, get()).await.unwrap(), 500);
    crm.provider.set(Answer::broken(Io::ConnectionRefused));
    let error = status(&crm.service, get()).await.unwrap_err();
    assert_eq!((error.delivery(), crm.told()), (Delivery::NotSent, (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn the_request_is_sent_once_and_whole() {
    let provider = Script::new([Answer::status(500)]);
    let service = rates().layer(provider.clone());
    assert_eq!(status(&service, crate::call::post("a=1")).await.unwrap(), 203);
    let seen = provider.requests();
    assert_eq!((seen.len(), &seen[0].body()[..]), (1, &b"a=1"[..]));
}
