//! Which keys make a repetition safe.

use std::io;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request};
use outrigger::Body;
use outrigger::backoff::Backoff;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeySource, WriteKey};
use outrigger::retry::Steer;
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::{by, headers, under};
use crate::call::{keyed_post, post, status};
use crate::clock::secs;
use crate::retry::plain;

const OWN: HeaderName = HeaderName::from_static("x-own-key");

/// How often a request goes out to a provider that does it and has no answer.
async fn times<P>(layer: IdempotencyLayer<P>, request: Request<Body>) -> usize
where
    P: WriteKey<Body> + Clone,
{
    let mut times = Vec::new();
    for lost in [Answer::status(502), Answer::broken(io::ErrorKind::ConnectionReset)] {
        let provider = Script::new([lost]);
        let service = layer.clone().layer(plain().layer(provider.clone()));
        let request = {
            let mut copy = Request::new(Body::from(request.body().as_bytes().unwrap().to_vec()));
            *copy.method_mut() = request.method().clone();
            copy.headers_mut().clone_from(request.headers());
            copy.extensions_mut().clone_from(request.extensions());
            copy
        };
        let _ = status(&service, request).await;
        times.push(provider.begun());
    }
    assert_eq!(times[0], times[1], "an answer that says nothing is as good as none");
    times[0]
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_made_is_sent_and_counts_only_where_the_provider_is_known_to_honour_keys() {
    for (profile, sent) in [
        (KeyProfile::header(OWN), 1),
        (KeyProfile::ietf(), 1),
        (KeyProfile::ietf().max_len(64).lifetime(secs(3_600)), 1),
        (KeyProfile::header(OWN).honours_keys(), 3),
        (KeyProfile::ietf().honours_keys(), 3),
        (KeyProfile::stripe(), 3),
        (KeyProfile::adyen(), 3),
        (KeyProfile::paypal(), 3),
    ] {
        for method in ["POST", "PATCH"] {
            let layer = IdempotencyLayer::new(profile.clone());
            assert_eq!(times(layer, by(method)).await, sent, "{method} {profile:?}");
        }
    }
    let provider = Script::new([Answer::status(502)]);
    let service = IdempotencyLayer::default().layer(plain().layer(provider.clone()));
    assert_eq!(status(&service, post("a")).await.unwrap(), 502);
    assert_eq!(headers(&provider, "idempotency-key").len(), 1, "once, under a key");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_caller_brought_counts_whatever_the_profile() {
    for layer in [
        IdempotencyLayer::default(),
        IdempotencyLayer::new(KeyProfile::ietf()),
        IdempotencyLayer::default().key_source(KeySource::Caller),
    ] {
        assert_eq!(times(layer.clone(), under("order-1042")).await, 3, "{layer:?}");
        assert_eq!(times(layer.clone(), keyed_post("a")).await, 3, "{layer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_in_a_header_that_the_provider_does_not_look_at_counts_for_nothing() {
    let paypal = IdempotencyLayer::new(KeyProfile::paypal()).key_source(KeySource::Caller);
    assert_eq!(times(paypal.clone(), keyed_post("a")).await, 1);
    let mut request = post("a");
    request.headers_mut().insert("paypal-request-id", HeaderValue::from_static("order-1042"));
    assert_eq!(times(paypal, request).await, 3);
    let other = IdempotencyLayer::new(KeyProfile::header(OWN));
    assert_eq!(times(other, keyed_post("a")).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_goes_nowhere_counts_for_nothing() {
    let square = || IdempotencyLayer::new(KeyProfile::square());
    for request in [post("a"), under("order-1042")] {
        assert_eq!(times(square(), request).await, 1);
    }
    let in_body = |request: Request<Body>, key: &HeaderValue| {
        let key = key.to_str().unwrap().to_owned();
        request.map(|_| Body::from(key))
    };
    for request in [post("a"), under("order-1042")] {
        assert_eq!(times(square().write_with(in_body), request).await, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_waited_out_only_under_a_key_that_counts() {
    for (profile, sent) in [(KeyProfile::header(OWN), 2), (KeyProfile::stripe(), 3)] {
        // What was refused is sent again with or without a key.
        let refused = Answer::broken(io::ErrorKind::ConnectionRefused);
        let running = Answer::status(409).header("retry-after", "1");
        let provider = Script::new([refused, running]);
        let service = IdempotencyLayer::new(profile).layer(plain().layer(provider.clone()));
        assert_eq!(status(&service, post("a")).await.unwrap(), 409);
        assert_eq!(provider.begun(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_ends_repetitions_with_its_lifetime_only_where_it_counts() {
    let hour = Duration::from_secs(3_600);
    let repeated = |profile: KeyProfile, answer: Answer, request: Request<Body>| async move {
        let provider = Script::new([answer]);
        let retry = plain().max_attempts(9).backoff(Backoff::fixed(hour));
        let layer = IdempotencyLayer::new(profile.lifetime(2 * hour));
        let _ = status(&layer.layer(retry.layer(provider.clone())), request).await;
        provider.begun()
    };
    let refused = || Answer::broken(io::ErrorKind::ConnectionRefused);
    assert_eq!(repeated(KeyProfile::header(OWN), refused(), post("a")).await, 9);
    assert_eq!(repeated(KeyProfile::stripe(), refused(), post("a")).await, 2);
    for profile in [KeyProfile::header(OWN), KeyProfile::stripe()] {
        let mut search = post("search");
        search.extensions_mut().insert(Steer::Safe);
        assert_eq!(repeated(profile.clone(), Answer::status(503), search).await, 9);
        let mut put = under("order-1042");
        *put.method_mut() = Method::PUT;
        assert_eq!(repeated(profile, Answer::status(503), put).await, 9);
    }
}
