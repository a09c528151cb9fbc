//! Which calls get a key, and whose key it is.

use outrigger::context::Context;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource, KeyedMethods};
use outrigger::outcome::GaveUp;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, IdempotencyKey};
use tower::Layer;

use super::{bringing, by, headers, seen, under};
use crate::call::{get, keyed_post, post, send, status};
use crate::clock::secs;
use crate::retry::plain;

const HEADER: &str = "idempotency-key";

#[tokio::test(start_paused = true)]
async fn only_unsafe_methods_get_a_key_by_default() {
    for (method, keys) in [
        ("POST", 1),
        ("PATCH", 1),
        ("PURCHASE", 1),
        ("GET", 0),
        ("HEAD", 0),
        ("OPTIONS", 0),
        ("TRACE", 0),
        ("PUT", 0),
        ("DELETE", 0),
    ] {
        let seen = seen(IdempotencyLayer::default(), HEADER, by(method)).await;
        assert_eq!(seen.len(), keys, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_change_something_get_one_where_that_is_set() {
    let layer = IdempotencyLayer::default().methods(KeyedMethods::Writing);
    for (method, keys) in [("PUT", 1), ("DELETE", 1), ("POST", 1), ("GET", 0), ("HEAD", 0)] {
        assert_eq!(seen(layer.clone(), HEADER, by(method)).await.len(), keys, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_attempts_of_a_call_have_one_key_and_no_two_calls_have_the_same() {
    let provider = Script::new([Answer::status(503)]);
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let service = stripe.layer(plain().layer(provider.clone()));
    assert_eq!(status(&service, post("a")).await.unwrap(), 503);
    assert_eq!(status(&service.clone(), post("a")).await.unwrap(), 503);
    let keys = headers(&provider, HEADER);
    assert_eq!(keys.len(), 6);
    assert!(keys[..3].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(keys[3..].iter().all(|key| *key == keys[3]), "{keys:?}");
    assert_ne!(keys[0], keys[3]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_made_is_the_calls_own_id() {
    let provider = Script::new([Answer::status(200)]);
    let service = IdempotencyLayer::default().layer(provider.clone());
    send(&service, post("a")).await.unwrap();
    let request = provider.requests().remove(0);
    let context = request.extensions().get::<Context>().unwrap();
    assert_eq!(headers(&provider, HEADER), [context.call_id().to_string()]);
    assert_eq!(context.idempotency_key(), request.headers().get(HEADER));
}

#[tokio::test(start_paused = true)]
async fn a_callers_key_wins_over_one_that_would_be_made() {
    let layer = IdempotencyLayer::default();
    assert_eq!(seen(layer.clone(), HEADER, under("order-1042")).await, ["order-1042"]);
    assert_eq!(seen(layer.clone(), HEADER, keyed_post("a")).await, ["charge-1"]);
    let both = bringing("order-1042", keyed_post("a"));
    assert_eq!(seen(layer, HEADER, both).await, ["order-1042"], "the typed one is the first");
}

#[tokio::test(start_paused = true)]
async fn a_callers_key_is_sent_with_every_method_and_on_every_attempt() {
    for method in ["POST", "PUT", "GET"] {
        let provider = Script::new([Answer::status(503)]);
        let service = IdempotencyLayer::default().layer(plain().layer(provider.clone()));
        send(&service, bringing("order-1042", by(method))).await.unwrap();
        assert_eq!(headers(&provider, HEADER), ["order-1042"; 3], "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_of_the_business_is_always_the_same_and_can_not_be_read() {
    let layer = IdempotencyLayer::default();
    let sent = |text: &'static str| {
        let mut request = post("a");
        request.extensions_mut().insert(IdempotencyKey::from_business_key(text));
        seen(layer.clone(), HEADER, request)
    };
    // After a restart it is another process that derives it; so it is written down here.
    let key = sent("order 1042 / first charge").await;
    assert_eq!(key, sent("order 1042 / first charge").await);
    assert_ne!(key, sent("order 1042 / second charge").await);
    assert_eq!((key[0].len(), key[0].contains("1042")), (36, false));
    assert_eq!(&key[0][14..15], "5", "a name-based uuid: {key:?}");
    let novel: &'static str = Box::leak("order ".repeat(10_000).into_boxed_str());
    assert_eq!(sent(novel).await[0].len(), 36);
}

#[tokio::test(start_paused = true)]
async fn with_callers_keys_only_none_is_made_and_a_post_is_not_repeated() {
    let layer = IdempotencyLayer::default().key_source(KeySource::Caller);
    let provider = Script::new([Answer::status(503)]);
    let service = layer.layer(plain().layer(provider.clone()));
    assert_eq!(status(&service, post("a")).await.unwrap(), 503);
    assert_eq!((provider.begun(), headers(&provider, HEADER).len()), (1, 0));
    assert_eq!(status(&service, under("order-1042")).await.unwrap(), 503);
    assert_eq!(headers(&provider, HEADER), ["order-1042"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_provider_honours_makes_a_post_repeatable() {
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let bare = plain().layer(provider.clone());
    assert_eq!(status(&bare, post("a")).await.unwrap(), 503);
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let keyed = stripe.layer(plain().layer(provider));
    assert_eq!(status(&keyed, post("a")).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_key_can_be_read_from_the_error() {
    let attempts = TimeoutLayer::new().attempt(secs(2)).layer(Script::new([Answer::hang()]));
    let service = IdempotencyLayer::default().layer(plain().layer(attempts));
    let error = status(&service, under("order-1042")).await.unwrap_err();
    assert_eq!(error.idempotency_key().unwrap(), "order-1042");
    assert_eq!((error.attempts(), error.gave_up()), (3, Some(GaveUp::Attempts)));
    let minted = status(&service, post("a")).await.unwrap_err();
    let id = minted.call_id().unwrap().to_string();
    assert_eq!(minted.idempotency_key().unwrap(), id.as_str());
    assert_eq!(status(&service, get()).await.unwrap_err().idempotency_key(), None);
}

#[tokio::test(start_paused = true)]
async fn the_key_is_not_in_the_errors_text() {
    let attempts = TimeoutLayer::new().attempt(secs(2)).layer(Script::new([Answer::hang()]));
    let service = IdempotencyLayer::default().layer(attempts);
    let error = status(&service, under("order-1042")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("order-1042"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn another_layer_of_the_same_kind_further_in_keeps_the_key() {
    let provider = Script::new([Answer::status(200)]);
    let inner = IdempotencyLayer::default().layer(provider.clone());
    let service = IdempotencyLayer::default().layer(inner);
    send(&service, under("order-1042")).await.unwrap();
    send(&service, post("a")).await.unwrap();
    let keys = headers(&provider, HEADER);
    assert_eq!((keys.len(), keys[0].as_str()), (2, "order-1042"));
}

#[test]
fn a_key_is_visible_ascii_of_1_to_255_characters() {
    for good in ["a", "order-1042", "{\"a\";1}", &"k".repeat(255)] {
        assert!(IdempotencyKey::new(good).is_ok(), "{good}");
    }
    for bad in ["", "order 1042", "a\nb", "a\r\nx-evil: 1", "ключ", "a\u{7f}", &"k".repeat(256)]
    {
        let text = IdempotencyKey::new(bad).unwrap_err().to_string();
        assert!(text.contains("idempotency key") && text.contains("255"), "{text}");
        assert!(bad.is_empty() || !text.contains(bad), "what came from outside isn't echoed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_key_passes_untouched() {
    let provider = Script::new([Answer::status(200)]);
    let service = IdempotencyLayer::default().layer(provider.clone());
    let mut request = get().map(|_| Body::from("query"));
    request.headers_mut().insert("accept", "text/plain".parse().unwrap());
    send(&service, request).await.unwrap();
    let request = provider.requests().remove(0);
    assert_eq!((request.headers().len(), request.body().as_ref()), (1, &b"query"[..]));
    assert!(request.extensions().get::<Context>().is_none(), "nothing is noted of it");
}
