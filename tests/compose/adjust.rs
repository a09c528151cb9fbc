//! The builder takes a layer or adjusts the one that is there, and empties a slot.

use std::time::Duration;

use http::{HeaderValue, Method, Request, Response};
use outrigger::fallback::FallbackLayer;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource};
use outrigger::integration::OwnClient;
use outrigger::mirror::MirrorLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration, IntegrationBuilder, Ratio};

use crate::call::{read, request, seconds};

type Builder = IntegrationBuilder<OwnClient>;

fn presets() -> [Builder; 2] {
    [Integration::user_flow("crm"), Integration::background("crm")]
}

#[test]
fn a_function_adjusts_what_a_layer_set() {
    for preset in presets() {
        let crm = preset
            .hedge(HedgeLayer::after(Duration::from_millis(700)))
            .hedge(|hedge: HedgeLayer| hedge.at_least(Duration::from_millis(5)));
        assert_eq!(crm.build().unwrap().hedge().delay(), Some(Duration::from_millis(700)));
    }
    let hedged = Integration::user_flow("crm").hedge(|_| HedgeLayer::after(seconds(1)));
    assert_eq!(hedged.build().unwrap().hedge().delay(), Some(seconds(1)));
    let mistaken = Integration::user_flow("crm")
        .fallback(FallbackLayer::value(Response::new("{}")))
        .fallback(|fallback: FallbackLayer| fallback.limit(Duration::ZERO));
    assert!(mistaken.build().unwrap_err().to_string().contains("fallback.limit"));
}

#[tokio::test(start_paused = true)]
async fn adjusted_keys_stay_where_a_user_writes_them() {
    let provider = Script::new([Answer::status(200)]);
    let write = |mut request: Request<Body>, key: &HeaderValue| {
        request.headers_mut().insert("x-own", key.clone());
        request
    };
    let keys = IdempotencyLayer::new(KeyProfile::ietf()).write_with(write);
    let crm = Integration::user_flow("crm")
        .idempotency(keys)
        .idempotency(|keys: IdempotencyLayer<_>| keys.key_source(KeySource::CallerOrGenerated))
        .service(provider.clone());
    read(crm.build().unwrap().send(request(Method::POST))).await.unwrap();
    let requests = provider.requests();
    assert!(requests[0].headers().contains_key("x-own"));
    assert!(!requests[0].headers().contains_key("idempotency-key"));
}

#[tokio::test(start_paused = true)]
async fn each_slot_can_be_emptied() {
    let copies = Script::new([Answer::status(200)]);
    let copy = Integration::user_flow("copy").service(copies.clone()).build().unwrap();
    for preset in presets() {
        let provider = Script::new([Answer::hang()]);
        let crm = preset
            .hedge(HedgeLayer::after(seconds(1)))
            .fallback(FallbackLayer::value(Response::new("{}")))
            .mirror(MirrorLayer::new(copy.clone(), Ratio::ONE))
            .without_deadline()
            .without_idempotency()
            .without_hedge()
            .without_fallback()
            .without_mirror()
            .without_timeout()
            .without_drift()
            .without_idle_timeout()
            .without_retry()
            .without_breaker()
            .without_rate_limit()
            .without_bulkhead()
            .without_fault_injection()
            .service(provider.clone())
            .build()
            .unwrap();
        let sent = tokio::time::timeout(seconds(100_000), crm.send(request(Method::POST))).await;
        assert!(sent.is_err(), "no limit ended it, and no fallback answered");
        assert_eq!((provider.begun(), copies.begun()), (1, 0));
        assert!(!provider.requests()[0].headers().contains_key("idempotency-key"));
    }
}

#[test]
fn every_slot_alone_can_be_emptied() {
    let empty: [fn(Builder) -> Builder; 13] = [
        Builder::without_deadline,
        Builder::without_idempotency,
        Builder::without_hedge,
        Builder::without_fallback,
        Builder::without_mirror,
        Builder::without_timeout,
        Builder::without_drift,
        Builder::without_idle_timeout,
        Builder::without_retry,
        Builder::without_breaker,
        Builder::without_rate_limit,
        Builder::without_bulkhead,
        Builder::without_fault_injection,
    ];
    for without in empty {
        for preset in presets() {
            without(preset).build().unwrap();
        }
    }
}
