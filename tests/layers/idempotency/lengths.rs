//! A key in the body, and what the request says of its length.

use http::header::{CONTENT_LENGTH, HeaderMap};
use http::{HeaderValue, Request};
use outrigger::Body;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::under;
use crate::call::send;
use crate::provider::piped;

/// What the provider sees of a request with these lengths, after a hook.
async fn seen(
    lengths: &[&'static str],
    hook: impl Fn(Request<Body>, &HeaderValue) -> Request<Body> + Clone,
) -> HeaderMap {
    let provider = Script::new([Answer::status(200)]);
    let layer = IdempotencyLayer::new(KeyProfile::square()).write_with(hook);
    let mut request = under("order-1042").map(|_| Body::from("{\"amount\":1}"));
    for length in lengths {
        request.headers_mut().append(CONTENT_LENGTH, HeaderValue::from_static(length));
    }
    send(&layer.layer(provider.clone()), request).await.unwrap();
    provider.requests().remove(0).headers().clone()
}

fn lengths(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all(CONTENT_LENGTH).iter().map(|length| length.to_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_length_follows_the_body() {
    let longer = |request: Request<Body>, key: &HeaderValue| {
        let key = key.to_str().unwrap().to_owned();
        request.map(|_| Body::from(format!("{{\"key\":\"{key}\",\"amount\":1}}")))
    };
    let whole = "{\"key\":\"order-1042\",\"amount\":1}".len().to_string();
    assert_eq!(lengths(&seen(&["12"], longer).await), [&whole[..]]);
    assert_eq!(lengths(&seen(&["12", "12"], longer).await), [&whole[..]]);
    assert_eq!(lengths(&seen(&[], longer).await), [""; 0], "who said nothing says nothing");
    let gone = |request: Request<Body>, _: &HeaderValue| request.map(|_| Body::empty());
    assert_eq!(lengths(&seen(&["12"], gone).await), ["0"]);
}

#[tokio::test(start_paused = true)]
async fn a_length_that_nobody_knows_is_not_said() {
    let streamed = |request: Request<Body>, _: &HeaderValue| {
        request.map(|body| {
            let (pipe, stream) = piped();
            pipe.feed("more, ");
            drop((pipe, body));
            stream
        })
    };
    assert_eq!(lengths(&seen(&["12"], streamed).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_was_wrong_before_stays_the_callers_mistake() {
    let header = |mut request: Request<Body>, key: &HeaderValue| {
        request.headers_mut().insert("x-key", key.clone());
        request
    };
    assert_eq!(lengths(&seen(&["7"], header).await), ["7"]);
    assert_eq!(lengths(&seen(&["7", "12"], header).await), ["7", "12"]);
}
