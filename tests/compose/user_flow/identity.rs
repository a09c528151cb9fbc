use http::HeaderName;
use outrigger::IdempotencyKey;
use outrigger::context::CorrelationId;
use outrigger::event::Event;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource};
use outrigger::testing::{Answer, EventRecorder, Script};

use super::preset;
use crate::call::{get, post, read};

#[tokio::test(start_paused = true)]
async fn a_correlation_id_is_sent_in_the_header_of_choice() {
    let provider = Script::new([Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let mut request = get();
    let id = CorrelationId::new("order-1042").unwrap();
    request.extensions_mut().insert(id.clone());
    read(crm.send(request)).await.unwrap();
    assert_eq!(provider.requests()[0].headers()["x-request-id"], "order-1042");

    let header = HeaderName::from_static("x-correlation-id");
    let other = preset().correlation(|correlation| correlation.header(header));
    let crm = other.service(provider.clone()).build().unwrap();
    read(crm.send(get())).await.unwrap();
    let sent = &provider.requests()[1];
    assert!(sent.headers().contains_key("x-correlation-id"));
    assert!(!sent.headers().contains_key("x-request-id"));
}

#[tokio::test(start_paused = true)]
async fn calls_and_attempts_are_told() {
    let told = EventRecorder::new();
    let provider = Script::new([Answer::status(500), Answer::status(200)]);
    let crm = preset().subscriber(told.clone()).service(provider);
    read(crm.build().unwrap().send(get())).await.unwrap();
    let kinds: Vec<_> = told
        .events()
        .iter()
        .map(|event| match event {
            Event::CallStarted => "call",
            Event::AttemptStarted => "attempt",
            Event::AttemptAnswered { .. } => "answered",
            Event::AttemptFinished { .. } => "attempt over",
            Event::RetryScheduled { .. } => "again",
            Event::CallFinished { attempts: 2, .. } => "call over",
            _ => "something else",
        })
        .collect();
    let expected = [
        "call",
        "attempt",
        "answered",
        "attempt over",
        "again",
        "attempt",
        "answered",
        "attempt over",
        "call over",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test(start_paused = true)]
async fn only_a_callers_own_key_is_sent_and_makes_a_post_repeatable() {
    let provider = Script::new([Answer::status(200), Answer::status(500), Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    read(crm.send(post())).await.unwrap();
    assert!(!provider.requests()[0].headers().contains_key("idempotency-key"));

    let mut request = post();
    let key = IdempotencyKey::new("order-1042-charge").unwrap();
    request.extensions_mut().insert(key);
    read(crm.send(request)).await.unwrap();
    let keys: Vec<_> = provider.requests()[1..]
        .iter()
        .map(|request| request.headers()["idempotency-key"].clone())
        .collect();
    assert_eq!(keys, ["order-1042-charge"; 2]);
}

#[tokio::test(start_paused = true)]
async fn keys_can_be_made_for_every_post() {
    let provider = Script::new([Answer::status(200)]);
    let minting = IdempotencyLayer::default().key_source(KeySource::CallerOrGenerated);
    let crm = preset().idempotency(minting).service(provider.clone()).build().unwrap();
    read(crm.send(post())).await.unwrap();
    assert!(provider.requests()[0].headers().contains_key("idempotency-key"));
}

#[tokio::test(start_paused = true)]
async fn naming_a_profile_makes_no_keys() {
    for profile in [KeyProfile::stripe(), KeyProfile::ietf().honours_keys()] {
        let provider = Script::new([Answer::status(500)]);
        let named = preset().idempotency(IdempotencyLayer::new(profile));
        let crm = named.service(provider.clone()).build().unwrap();
        read(crm.send(post())).await.unwrap();
        assert!(!provider.requests()[0].headers().contains_key("idempotency-key"));
        assert_eq!(provider.begun(), 1, "a POST without a key is sent once");
    }
}
