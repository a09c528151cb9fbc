//! Which calls may be doubled.

use http::{Method, Request};
use outrigger::Body;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::retry::RetryOverride;
use outrigger::testing::Script;
use tower::Layer;

use super::{Hedged, after, fixed};
use crate::call::{get, keyed_post, of, post, status};
use crate::clock::{millis, timed};
use crate::retry::plain;

/// How many requests go out for one call that is slow.
async fn requests(request: Request<Body>) -> usize {
    let crm = Hedged::fixed([after(200, 400)]);
    let (took, code) = timed(status(&crm.service, request)).await;
    assert_eq!((took, code.unwrap()), (millis(400), 200));
    crm.provider.begun()
}

fn overridden(mut request: Request<Body>, retry_override: RetryOverride) -> Request<Body> {
    request.extensions_mut().insert(retry_override);
    request
}

#[tokio::test(start_paused = true)]
async fn what_may_run_twice_at_once_is_doubled_and_nothing_else() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(requests(of(method.clone())).await, 2, "{method}");
    }
    for method in ["PUT", "DELETE", "POST", "PATCH", "CONNECT", "CHARGE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(requests(of(method.clone())).await, 1, "{method}");
        assert_eq!(
            requests(overridden(of(method.clone()), RetryOverride::Safe)).await,
            2,
            "{method}"
        );
    }
    assert_eq!(requests(post("amount=1")).await, 1);
    assert_eq!(requests(keyed_post("amount=1")).await, 2);
    let mut empty = post("amount=1");
    empty.headers_mut().insert("idempotency-key", http::HeaderValue::from_static(""));
    assert_eq!(requests(empty).await, 1, "an empty key is none");
}

#[tokio::test(start_paused = true)]
async fn a_request_can_say_never_or_safe() {
    assert_eq!(requests(overridden(get(), RetryOverride::Never)).await, 1);
    assert_eq!(requests(overridden(keyed_post("a"), RetryOverride::Never)).await, 1);
    assert_eq!(requests(overridden(post("search"), RetryOverride::Safe)).await, 2);
    assert_eq!(requests(overridden(get(), RetryOverride::Once)).await, 2);
    assert_eq!(requests(overridden(post("a"), RetryOverride::Once)).await, 1);
}

#[tokio::test(start_paused = true)]
async fn at_most_two_attempts_are_at_most_two_requests() {
    let provider = Script::new([after(503, 400)]);
    let service = plain().layer(fixed().layer(provider.clone()));
    assert_eq!(status(&service, overridden(get(), RetryOverride::Once)).await.unwrap(), 503);
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_minted_key_makes_a_post_fit_for_it_where_the_provider_honours_keys() {
    let provider = Script::new([after(200, 400)]);
    let ignored = IdempotencyLayer::default().layer(fixed().layer(provider.clone()));
    assert_eq!(status(&ignored, post("amount=1")).await.unwrap(), 200);
    assert_eq!(provider.begun(), 1, "the key was sent, and nobody said that it counts");
    let provider = Script::new([after(200, 400)]);
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let service = stripe.layer(fixed().layer(provider.clone()));
    assert_eq!(status(&service, post("amount=1")).await.unwrap(), 200);
    let keys: Vec<_> =
        provider.requests().iter().map(|seen| seen.headers()["idempotency-key"].clone()).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test(start_paused = true)]
async fn only_a_first_attempt_is_doubled() {
    let provider = Script::new([after(503, 10), after(200, 400)]);
    let service = plain().layer(fixed().layer(provider.clone()));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(provider.begun(), 2, "the retry is slow, and alone");
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_in_time_is_not_doubled() {
    let crm = Hedged::fixed([after(200, 49)]);
    for _ in 0..20 {
        status(&crm.service, get()).await.unwrap();
    }
    assert_eq!((crm.provider.begun(), crm.events.events()), (20, vec![]));
}

#[tokio::test(start_paused = true)]
async fn without_second_requests_there_are_none() {
    for layer in [HedgeLayer::disabled(), HedgeLayer::quantile(outrigger::Ratio::percent(95))] {
        let crm = Hedged::by(layer, [after(200, 60_000)]);
        assert_eq!(status(&crm.service, get()).await.unwrap(), 200);
        assert_eq!((crm.provider.begun(), crm.hedge.delay()), (1, None));
    }
}
