use http::Method;
use outrigger::event::{End, Event};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource, KeyedMethods};
use outrigger::testing::{Answer, EventRecorder, Script};

use super::preset;
use crate::call::{get, post, read, request};

#[tokio::test(start_paused = true)]
async fn a_correlation_id_is_sent() {
    let provider = Script::new([Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    read(crm.send(get())).await.unwrap();
    assert!(provider.requests()[0].headers().contains_key("x-request-id"));
}

#[tokio::test(start_paused = true)]
async fn calls_and_attempts_are_told() {
    let told = EventRecorder::new();
    let provider = Script::new([Answer::status(500), Answer::status(200)]);
    let crm = preset().subscriber(told.clone()).service(provider);
    read(crm.build().unwrap().send(get())).await.unwrap();
    let attempt = |event: &Event| matches!(event, Event::AttemptFinished { .. });
    assert_eq!(told.count(attempt), 2);
    let call = |event: &Event| {
        matches!(event, Event::CallFinished { end: End::Answered { .. }, attempts: 2, .. })
    };
    assert_eq!(told.count(call), 1);
}

#[tokio::test(start_paused = true)]
async fn a_post_gets_a_key_that_all_its_attempts_share_and_no_other_call_has() {
    let provider = Script::new([Answer::status(500), Answer::status(500), Answer::status(200)]);
    let stripe = preset().idempotency(IdempotencyLayer::new(KeyProfile::stripe()));
    let crm = stripe.service(provider.clone()).build().unwrap();
    read(crm.send(post())).await.unwrap();
    read(crm.send(post())).await.unwrap();
    let requests = provider.requests();
    let keys: Vec<_> =
        requests.iter().map(|request| &request.headers()["idempotency-key"]).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3]);
}

#[tokio::test(start_paused = true)]
async fn a_get_needs_no_key() {
    let provider = Script::new([Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    read(crm.send(get())).await.unwrap();
    assert!(!provider.requests()[0].headers().contains_key("idempotency-key"));
}

#[tokio::test(start_paused = true)]
async fn keys_can_be_left_to_the_caller_and_then_a_post_is_sent_once() {
    let provider = Script::new([Answer::status(500)]);
    let own = IdempotencyLayer::default().key_source(KeySource::Caller);
    let crm = preset().idempotency(own).service(provider.clone());
    read(crm.build().unwrap().send(post())).await.unwrap();
    assert_eq!(provider.begun(), 1);
    assert!(!provider.requests()[0].headers().contains_key("idempotency-key"));
}

#[tokio::test(start_paused = true)]
async fn naming_a_profile_leaves_it_to_the_preset_who_makes_keys_and_for_what() {
    let layer = || IdempotencyLayer::new(KeyProfile::paypal());
    for (layer, keys) in [
        (layer(), [true, false]),
        (layer().methods(KeyedMethods::Writing), [true, true]),
        (layer().key_source(KeySource::Caller), [false, false]),
    ] {
        let provider = Script::new([Answer::status(200)]);
        let crm = preset().idempotency(layer).service(provider.clone()).build().unwrap();
        read(crm.send(post())).await.unwrap();
        read(crm.send(request(Method::PUT))).await.unwrap();
        let seen = provider.requests();
        let has = |at: usize| seen[at].headers().contains_key("paypal-request-id");
        assert_eq!([has(0), has(1)], keys);
    }
}
