//! What the caller is told when it is over.

use std::time::Duration;

use std::error::Error as _;
use std::io::{self, ErrorKind as Io};

use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive};
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::outcome::{Fault, GaveUp, Phase};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Delivery, ErrorKind};
use tower::{Layer, ServiceBuilder};

use super::{plain, seen};
use crate::call::{get, keyed_post, post, status};
use crate::clock::{millis, secs};

#[tokio::test(start_paused = true)]
async fn the_error_still_says_that_the_connection_was_refused() {
    let (times, result) = seen(plain(), [Answer::broken(Io::ConnectionRefused)], get()).await;
    let error = result.unwrap_err();
    assert_eq!((times, error.attempts()), (3, 3));
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Refused));
    assert!(error.is_connect() && !error.is_timeout());
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(error.gave_up(), Some(GaveUp::Attempts));
    assert_eq!(error.elapsed(), Some(millis(200)));
    assert_eq!(error.to_string(), "connection refused by api.example:443");
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), Io::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn the_error_still_says_that_it_was_a_timeout_and_which() {
    let service = ServiceBuilder::new()
        .layer(plain())
        .layer(TimeoutLayer::new().attempt(secs(2)))
        .service(Script::new([Answer::hang()]));
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(error.to_string(), "attempt timed out after 2s at api.example:443");
    assert_eq!((error.attempts(), error.limit()), (3, Some(secs(2))));
    assert_eq!((error.delivery(), error.elapsed()), (Delivery::Unknown, Some(millis(6_200))));
}

#[tokio::test(start_paused = true)]
async fn the_worst_of_all_attempts_is_what_may_have_happened() {
    let refused = || Answer::broken(Io::ConnectionRefused);
    let service = |answers: Vec<Answer>| {
        let timeout = TimeoutLayer::new().attempt(secs(1));
        plain().max_attempts(2).layer(timeout.layer(Script::new(answers)))
    };
    for (answers, delivery) in [
        (vec![Answer::hang(), refused()], Delivery::Unknown),
        (vec![refused(), Answer::hang()], Delivery::Unknown),
        (vec![Answer::status(503), refused()], Delivery::Answered),
        (vec![refused(), refused()], Delivery::NotSent),
    ] {
        let error = status(&service(answers.clone()), keyed_post("a")).await.unwrap_err();
        assert_eq!(error.delivery(), delivery, "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_that_opens_the_breaker_is_the_last_word_and_may_have_happened() {
    let service = ServiceBuilder::new()
        .layer(plain())
        .layer(
            CircuitBreakerLayer::new()
                .consecutive(Consecutive::Always(1))
                .no_success_for(Duration::ZERO),
        )
        .layer(TimeoutLayer::new().attempt(secs(1)))
        .service(Script::new([Answer::hang()]));
    let error = status(&service, keyed_post("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(error.gave_up(), Some(GaveUp::CircuitOpen));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_cuts_a_wait_tells_of_the_attempts_before_it() {
    // The wait itself is survivable; it is the attempt after it that isn't.
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(secs(1)))
        .layer(plain())
        .service(Script::new([Answer::status(503), Answer::hang()]));
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!(error.to_string(), "call timed out after 1s at api.example:443");
    assert_eq!((error.attempts(), error.delivery()), (2, Delivery::Unknown));
    assert_eq!(error.last_status().map(|status| status.as_u16()), Some(503));
}

#[tokio::test(start_paused = true)]
async fn an_error_carries_the_calls_ids_and_no_secret() {
    let service = ServiceBuilder::new()
        .layer(CorrelationLayer::new().emitter(outrigger::event::Emitter::named("crm")))
        .layer(IdempotencyLayer::default())
        .layer(plain())
        .service(Script::new([Answer::broken(Io::ConnectionReset)]));
    let error = status(&service, post("card=4111")).await.unwrap_err();
    let (call, key) = (error.call_id().unwrap(), error.idempotency_key().unwrap());
    assert_eq!(key.to_str().unwrap(), call.to_string());
    assert_eq!(error.correlation_id().unwrap().as_str(), call.to_string());
    assert_eq!(error.integration(), Some("crm"));
    let all = format!("{error} {error:?}");
    assert!(!all.contains("secret") && !all.contains("4111"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_tried_again_says_why() {
    let (_, result) = seen(plain(), [Answer::broken(Io::ConnectionReset)], post("a")).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!((error.gave_up(), error.attempts()), (Some(GaveUp::NotSafe), 1));
}
