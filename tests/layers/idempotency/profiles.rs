//! How each provider wants its keys.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use outrigger::Body;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::{headers, seen, under};
use crate::call::{of, post, send};
use crate::retry::plain;

/// The header of each profile, whether its keys stand in quotes, and how long they may be.
fn profiles() -> [(KeyProfile, &'static str, bool, usize); 6] {
    let own = HeaderName::from_static("x-own-key");
    [
        (KeyProfile::ietf(), "idempotency-key", true, 255),
        (KeyProfile::stripe(), "idempotency-key", false, 255),
        (KeyProfile::adyen(), "idempotency-key", false, 64),
        (KeyProfile::paypal(), "paypal-request-id", false, 38),
        (KeyProfile::header(own.clone()), "x-own-key", false, 255),
        (KeyProfile::header(own).max_len(40), "x-own-key", false, 40),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_provider_gets_a_short_key_as_it_is_in_its_own_header_and_form() {
    for (profile, header, quoted, _) in profiles() {
        let expected = if quoted { "\"order-1042\"" } else { "order-1042" };
        let seen = seen(IdempotencyLayer::new(profile.clone()), header, under("order-1042")).await;
        assert_eq!(seen, [expected], "{profile:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_provider_gets_a_key_that_was_made_in_its_own_form() {
    for (profile, header, quoted, _) in profiles() {
        let seen = seen(IdempotencyLayer::new(profile.clone()), header, post("a")).await;
        assert_eq!(seen.len(), 1, "{profile:?}");
        let stands_in_quotes = seen[0].starts_with('"') && seen[0].ends_with('"');
        assert_eq!((stands_in_quotes, seen[0].len()), (quoted, if quoted { 38 } else { 36 }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_as_long_as_the_provider_takes_is_sent_as_it_is() {
    for (profile, header, quoted, longest) in profiles() {
        let key = "k".repeat(if quoted { longest - 2 } else { longest });
        let expected = if quoted { format!("\"{key}\"") } else { key.clone() };
        let seen = seen(IdempotencyLayer::new(profile), header, under(&key)).await;
        assert_eq!(seen, [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_key_is_replaced_by_one_that_is_always_the_same() {
    for (profile, header, quoted, longest) in profiles() {
        let length = if quoted { longest - 1 } else { longest + 1 };
        if length > 255 {
            continue;
        }
        let layer = IdempotencyLayer::new(profile);
        let sent = |key: String| seen(layer.clone(), header, under(&key));
        let first = sent("k".repeat(length)).await;
        assert_eq!(first[0].len(), if quoted { 38 } else { 36 });
        assert_eq!(first, sent("k".repeat(length)).await);
        assert_ne!(first, sent("k".repeat(length - 1) + "x").await);
    }
}

/// A POST with this value in the header already.
fn carrying(key: &str) -> Request<Body> {
    let mut request = post("a");
    request.headers_mut().insert("idempotency-key", HeaderValue::from_str(key).unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn a_key_in_the_header_is_brought_into_the_providers_form_too() {
    let ietf = IdempotencyLayer::new(KeyProfile::ietf());
    for (carried, sent) in [("order-1042", "\"order-1042\""), ("\"order-1042\"", "\"order-1042\"")]
    {
        assert_eq!(seen(ietf.clone(), "idempotency-key", carrying(carried)).await, [sent]);
    }
    let adyen = IdempotencyLayer::new(KeyProfile::adyen());
    let long = carrying(&"k".repeat(300));
    assert_eq!(seen(adyen, "idempotency-key", long).await[0].len(), 36);
}

#[tokio::test(start_paused = true)]
async fn what_would_end_a_quoted_key_is_escaped() {
    let ietf = IdempotencyLayer::new(KeyProfile::ietf());
    for (key, sent) in [(r#"a"b"#, r#""a\"b""#), (r"a\b", r#""a\\b""#), (r#"""#, r#""\"""#)] {
        assert_eq!(seen(ietf.clone(), "idempotency-key", under(key)).await, [sent]);
    }
}

#[tokio::test(start_paused = true)]
async fn no_key_is_longer_than_the_provider_takes_however_it_is_written() {
    let ietf = IdempotencyLayer::new(KeyProfile::ietf());
    let quoted_already = carrying(&format!("\"{}\"", "k".repeat(300)));
    let grows_by_escaping = under(&"\\".repeat(253));
    for request in [quoted_already, grows_by_escaping] {
        let seen = seen(ietf.clone(), "idempotency-key", request).await;
        assert!(seen[0].len() <= 255, "{} characters", seen[0].len());
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_looks_quoted_is_quoted() {
    let ietf = IdempotencyLayer::new(KeyProfile::ietf());
    // The inner quote would end the string, the escape would leave it open (RFC 9651, 4.2.5).
    for (key, sent) in [(r#""a"b""#, r#""\"a\"b\"""#), (r#""a\""#, r#""\"a\\\"""#)] {
        assert_eq!(seen(ietf.clone(), "idempotency-key", under(key)).await, [sent]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_header_is_no_key() {
    for profile in [KeyProfile::stripe(), KeyProfile::ietf()] {
        let layer = IdempotencyLayer::new(profile);
        let seen = seen(layer, "idempotency-key", carrying("")).await;
        assert!(seen[0].len() >= 36, "every call would have the same: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_of_another_profile_is_no_key() {
    let provider = Script::new([Answer::status(200)]);
    let service = IdempotencyLayer::new(KeyProfile::paypal()).layer(provider.clone());
    send(&service, carrying("order-1042")).await.unwrap();
    assert_eq!(headers(&provider, "idempotency-key"), ["order-1042"], "it is passed on");
    assert_ne!(headers(&provider, "paypal-request-id"), ["order-1042"]);
}

/// Writes the key where Square looks for it.
fn in_body(request: Request<Body>, key: &HeaderValue) -> Request<Body> {
    let key = key.to_str().unwrap().to_owned();
    request.map(|body| {
        let rest = String::from_utf8(body.as_bytes().unwrap().to_vec()).unwrap();
        Body::from(format!("{{\"idempotency_key\":\"{key}\",{rest}}}"))
    })
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_a_field_of_the_body() {
    let provider = Script::new([Answer::status(503)]);
    let layer = IdempotencyLayer::new(KeyProfile::square()).write_with(in_body);
    let service = layer.layer(plain().layer(provider.clone()));
    let request = under("order-1042").map(|_| Body::from("\"amount\":1000"));
    send(&service, request).await.unwrap();
    let bodies: Vec<Bytes> = provider.requests().into_iter().map(Request::into_body).collect();
    assert_eq!(bodies, ["{\"idempotency_key\":\"order-1042\",\"amount\":1000}"; 3]);
    assert_eq!(headers(&provider, "idempotency-key"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_key_in_the_body_keeps_to_its_length_and_to_the_keyed_methods() {
    let provider = Script::new([Answer::status(200)]);
    let layer = IdempotencyLayer::new(KeyProfile::square()).write_with(in_body);
    let service = layer.layer(provider.clone());
    send(&service, under(&"k".repeat(46))).await.unwrap();
    send(&service, of(http::Method::GET)).await.unwrap();
    let requests = provider.requests();
    let around = "{\"idempotency_key\":\"\",amount=1000}".len();
    assert_eq!(requests[0].body().len(), around + 36);
    assert_eq!(requests[1].body(), "");
}

#[tokio::test(start_paused = true)]
async fn without_a_hook_squares_key_goes_nowhere() {
    let provider = Script::new([Answer::status(200)]);
    let service = IdempotencyLayer::new(KeyProfile::square()).layer(provider.clone());
    send(&service, under("order-1042")).await.unwrap();
    let request = provider.requests().remove(0);
    assert!(request.headers().is_empty(), "{request:?}");
}
