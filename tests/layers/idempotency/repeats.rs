//! What is repeated under a key, and for how long.

use std::io;

use outrigger::backoff::Backoff;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::GaveUp;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::{by, under};
use crate::call::{get, post, send, status};
use crate::clock::secs;
use crate::retry::plain;

/// How often the provider sees a call, and why it is not repeated.
async fn seen(
    profile: KeyProfile,
    answers: &[Answer],
    request: http::Request<outrigger::Body>,
) -> (usize, Option<GaveUp>) {
    let provider = Script::new(answers.to_vec());
    let retry = plain().max_attempts(1_000).backoff(Backoff::fixed(secs(3_600)));
    let service = IdempotencyLayer::new(profile).layer(retry.layer(provider.clone()));
    let response = send(&service, request).await.unwrap();
    let retries = response.extensions().get::<Retries>();
    (provider.begun(), retries.and_then(|retries| retries.gave_up))
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_the_first_that_is_still_running_is_retried() {
    let running = [Answer::broken(io::ErrorKind::ConnectionReset), Answer::status(409)];
    let provider = Script::new(running.into_iter().chain([Answer::status(201)]));
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let service = stripe.layer(plain().layer(provider.clone()));
    assert_eq!(status(&service, post("a")).await.unwrap(), 201);
    assert_eq!(provider.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_callers_key_may_have_been_used_before_and_so_a_first_conflict_is_retried() {
    let answers = [Answer::status(409), Answer::status(201)];
    assert_eq!(seen(KeyProfile::stripe(), &answers, under("order-1042")).await, (2, None));
}

#[tokio::test(start_paused = true)]
async fn a_new_key_can_not_be_running_already_and_so_a_first_conflict_is_final() {
    let answers = [Answer::status(409), Answer::status(201)];
    let once = (1, Some(GaveUp::NotRetryable));
    assert_eq!(seen(KeyProfile::stripe(), &answers, post("a")).await, once);
    assert_eq!(seen(KeyProfile::stripe(), &answers, get()).await, once);
}

#[tokio::test(start_paused = true)]
async fn a_key_used_for_another_request_is_never_retried() {
    let once = (1, Some(GaveUp::NotRetryable));
    for request in [post("a"), under("order-1042"), by("PATCH")] {
        assert_eq!(seen(KeyProfile::ietf(), &[Answer::status(422)], request).await, once);
    }
    let later = [Answer::status(503), Answer::status(422)];
    let second = (2, Some(GaveUp::NotRetryable));
    assert_eq!(seen(KeyProfile::ietf(), &later, under("order-1042")).await, second);
}

#[tokio::test(start_paused = true)]
async fn retries_end_before_the_provider_forgets_the_key() {
    let own = KeyProfile::stripe().lifetime(secs(2 * 3_600));
    for (profile, hours) in [
        (KeyProfile::ietf().honours_keys(), 24),
        (KeyProfile::stripe(), 24),
        (KeyProfile::adyen(), 7 * 24),
        (KeyProfile::paypal(), 6),
        (own, 2),
    ] {
        // One an hour, the first at once; the one that would come with the hour itself is too late.
        let expected = (hours, Some(GaveUp::KeyExpired));
        for request in [post("a"), under("order-1042")] {
            let answer = [Answer::status(503)];
            assert_eq!(seen(profile.clone(), &answer, request).await, expected, "{profile:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_forgotten_is_no_matter_to_a_method_that_needs_none() {
    let profile = KeyProfile::stripe().lifetime(secs(2 * 3_600));
    let (times, why) =
        seen(profile, &[Answer::status(503)], super::bringing("order-1042", get())).await;
    assert_eq!((times, why), (1_000, Some(GaveUp::Attempts)));
}
