//! Which failures are tried again: what is of use, and what is safe.

use std::io::ErrorKind;

use http::Method;
use outrigger::Delivery;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::{Class, GaveUp, HttpClassifier};
use outrigger::retry::{FailedAttempt, RetryOverride, RetryPolicy, StandardPolicy};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use tower::Layer;

use super::{plain, seen, times};
use crate::call::{get, keyed_post, of, post, send, status};
use crate::clock::{secs, timed};

const TRANSIENT: [u16; 7] = [408, 429, 500, 502, 503, 504, 599];

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_for_idempotent_methods() {
    for code in TRANSIENT {
        assert_eq!(times(Answer::status(code), get()).await, 3, "{code}");
    }
    for method in [Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE] {
        assert_eq!(times(Answer::status(503), of(method.clone())).await, 3, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_our_fault_or_not_implemented_is_not_tried_again() {
    for code in [400, 401, 403, 404, 405, 410, 413, 422, 451, 501, 505] {
        let (times, result) = seen(plain(), [Answer::status(code)], get()).await;
        assert_eq!((times, result.unwrap()), (1, code));
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_without_a_key_is_never_sent_twice_once_it_may_have_arrived() {
    for code in TRANSIENT {
        assert_eq!(times(Answer::status(code), post("a")).await, 1, "{code}");
    }
    for method in [Method::PATCH, Method::CONNECT, Method::from_bytes(b"CHARGE").unwrap()] {
        assert_eq!(times(Answer::status(503), of(method.clone())).await, 1, "{method}");
    }
    for how in [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof, ErrorKind::TimedOut] {
        let (times, result) = seen(plain(), [Answer::broken(how)], post("a")).await;
        let error = result.unwrap_err();
        assert_eq!((times, error.gave_up()), (1, Some(GaveUp::NotSafe)), "{how}");
        assert_eq!(error.delivery(), Delivery::Unknown);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_whose_attempt_timed_out_is_not_sent_again_without_a_key() {
    let provider = Script::new([Answer::hang()]);
    let service = plain().layer(TimeoutLayer::new().attempt(secs(1)).layer(provider.clone()));
    let (took, result) = timed(status(&service, post("a"))).await;
    assert!(result.unwrap_err().is_timeout());
    assert_eq!((provider.begun(), took), (1, secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_post_under_a_key_is_tried_again() {
    for code in TRANSIENT {
        assert_eq!(times(Answer::status(code), keyed_post("a")).await, 3, "{code}");
    }
    assert_eq!(times(Answer::broken(ErrorKind::ConnectionReset), keyed_post("a")).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_minted_key_that_is_honoured_makes_a_post_safe_and_is_the_same_on_every_attempt() {
    let provider = Script::new([Answer::status(503)]);
    let retry = plain().layer(provider.clone());
    let service = IdempotencyLayer::new(KeyProfile::stripe()).layer(retry);
    assert_eq!(status(&service, post("a")).await.unwrap(), 503);
    let seen = provider.requests();
    let keys: Vec<_> = seen.iter().map(|request| &request.headers()["idempotency-key"]).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_post_that_was_refused_a_connection_is_tried_again_without_a_key() {
    let refused = || Answer::broken(ErrorKind::ConnectionRefused);
    let (times, result) = seen(plain(), [refused(), Answer::status(200)], post("a")).await;
    assert_eq!((times, result.unwrap()), (2, 200));
}

#[tokio::test(start_paused = true)]
async fn a_get_on_a_stale_connection_is_tried_again() {
    for how in [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe] {
        let (times, result) =
            seen(plain(), [Answer::broken(how), Answer::status(200)], get()).await;
        assert_eq!((times, result.unwrap()), (2, 200), "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_misdirected_request_was_not_processed_and_is_tried_again() {
    let (times, result) =
        seen(plain(), [Answer::status(421), Answer::status(201)], post("a")).await;
    assert_eq!((times, result.unwrap()), (2, 201));
}

#[tokio::test(start_paused = true)]
async fn too_early_is_tried_again_once() {
    for request in [get(), post("a")] {
        let (times, result) = seen(plain(), [Answer::status(425)], request).await;
        assert_eq!((times, result.unwrap()), (2, 425));
    }
    let (times, result) =
        seen(plain(), [Answer::status(425), Answer::status(200)], post("a")).await;
    assert_eq!((times, result.unwrap()), (2, 200));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_under_a_minted_key_is_tried_again_only_after_a_first_attempt() {
    let keyed = |answers: Vec<Answer>| async {
        let provider = Script::new(answers);
        let service =
            IdempotencyLayer::new(KeyProfile::stripe()).layer(plain().layer(provider.clone()));
        (status(&service, post("a")).await.unwrap(), provider.begun())
    };
    assert_eq!(keyed(vec![Answer::status(409)]).await, (409, 1), "nothing of ours can be running");
    let running = vec![Answer::status(503), Answer::status(409), Answer::status(200)];
    assert_eq!(keyed(running).await, (200, 3));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_under_the_callers_own_key_is_tried_again_until_it_comes_twice_the_same() {
    let fine = || Answer::status(200);
    for (answers, sent) in [
        (vec![Answer::status(409), fine()], 2),
        // Its own first attempt can't be running: it is a key that was used for something else.
        (vec![Answer::status(409)], 2),
        // What changes may become an answer, and so may what is asked to wait.
        (vec![Answer::status(409), Answer::status(409).body("done soon"), fine()], 3),
        (vec![Answer::status(409).header("retry-after", "1")], 3),
        // Its own first attempt may be running.
        (vec![Answer::status(503), Answer::status(409)], 3),
        (vec![Answer::broken(ErrorKind::ConnectionReset), Answer::status(409)], 3),
    ] {
        let shown = format!("{answers:?}");
        assert_eq!(seen(plain(), answers, keyed_post("a")).await.0, sent, "{shown}");
    }
}

/// Wants whatever is about these.
struct SafeOnly;

impl RetryPolicy for SafeOnly {
    fn wants(&self, failed: &FailedAttempt<'_>) -> bool {
        let is_asked = failed.request_header(&RETRY).is_some_and(|value| value == "please");
        (failed.method.is_safe() || is_asked) && StandardPolicy::new().wants(failed)
    }
}

const RETRY: http::HeaderName = http::HeaderName::from_static("x-retry");

#[tokio::test(start_paused = true)]
async fn a_policy_can_tell_safe_methods_and_headers_of_the_request() {
    for (method, sent) in
        [(Method::GET, 3), (Method::HEAD, 3), (Method::PUT, 1), (Method::DELETE, 1)]
    {
        let layer = plain().policy(SafeOnly);
        assert_eq!(
            seen(layer, [Answer::status(503)], of(method.clone())).await.0,
            sent,
            "{method}"
        );
    }
    for (value, sent) in [("please", 3), ("no", 1)] {
        let mut request = of(Method::PUT);
        request.headers_mut().insert(RETRY, value.parse().unwrap());
        let layer = plain().policy(SafeOnly);
        assert_eq!(seen(layer, [Answer::status(503)], request).await.0, sent, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_whether_to_repeat_is_obeyed_as_far_as_it_is_safe() {
    let told = |status, header, value| Answer::status(status).header(header, value);
    for header in ["stripe-should-retry", "x-should-retry", "acme-should-retry", "transient-error"]
    {
        for status in [400, 403, 409, 422, 501, 503, 429] {
            for (value, sent) in [("true", 3), (" TRUE", 3), ("false", 1)] {
                let answer = told(status, header, value);
                let shown = format!("{status} {header}: {value}");
                assert_eq!(times(answer.clone(), get()).await, sent, "{shown}");
                assert_eq!(times(answer.clone(), keyed_post("a")).await, sent, "{shown}, keyed");
                assert_eq!(times(answer, post("a")).await, 1, "{shown}, not safe");
            }
        }
        // What is neither is nothing.
        assert_eq!(times(told(400, header, "maybe"), get()).await, 1);
        assert_eq!(times(told(503, header, "maybe"), get()).await, 3);
    }
    assert_eq!(times(told(400, "x-should-retry-later", "true"), get()).await, 1);
    let both = told(503, "x-should-retry", "true").header("stripe-should-retry", "false");
    assert_eq!(times(both, get()).await, 1, "no is no");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_without_a_key_is_tried_again_only_on_request() {
    assert_eq!(times(Answer::status(409), get()).await, 1);
    let layer = plain().policy(StandardPolicy::new().with_conflicts());
    assert_eq!(seen(layer.clone(), [Answer::status(409)], get()).await.0, 3);
    assert_eq!(seen(layer, [Answer::status(409)], post("a")).await.0, 1, "still not safe");
}

#[tokio::test(start_paused = true)]
async fn a_key_reused_for_other_content_is_not_tried_again() {
    assert_eq!(times(Answer::status(422), keyed_post("a")).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_a_classifier_calls_invalid_is_tried_again() {
    let liar = HttpClassifier::new()
        .with(|head| head.headers.contains_key("x-error").then_some(Class::Invalid));
    let answers = [Answer::status(200).header("x-error", "1"), Answer::status(200)];
    let (times, result) = seen(plain().classifier(liar), answers, get()).await;
    assert_eq!((times, result.unwrap()), (2, 200));
}

/// Wants everything.
struct Eager;

impl RetryPolicy for Eager {
    fn wants(&self, _: &FailedAttempt<'_>) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_ones_own_decides_what_is_of_use_but_not_what_is_safe() {
    assert_eq!(seen(plain().policy(Eager), [Answer::status(404)], get()).await.0, 3);
    assert_eq!(seen(plain().policy(Eager), [Answer::status(404)], post("a")).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_can_say_never_once_or_safe() {
    let overridden = |request: http::Request<_>, retry_override| async move {
        let mut request = request;
        request.extensions_mut().insert(retry_override);
        let provider = Script::new([Answer::status(503)]);
        let service = plain().layer(provider.clone());
        let response = send(&service, request).await.unwrap();
        let retries = *response.extensions().get::<outrigger::retry::Retries>().unwrap();
        (provider.begun(), retries.gave_up.unwrap())
    };
    assert_eq!(overridden(get(), RetryOverride::Never).await, (1, GaveUp::Overridden));
    assert_eq!(overridden(get(), RetryOverride::Once).await, (2, GaveUp::Overridden));
    assert_eq!(overridden(post("search"), RetryOverride::Safe).await, (3, GaveUp::Attempts));
    assert_eq!(overridden(post("charge"), RetryOverride::Once).await, (1, GaveUp::NotSafe));
}
