//! What a fallback's answer says of the attempts in whose place it is.

use std::io::ErrorKind as Io;

use outrigger::Delivery::{Answered, NotSent, Unknown};
use outrigger::fallback::FellBack;
use outrigger::outcome::GaveUp;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use outrigger::{Delivery, circuit_breaker::CircuitBreakerLayer};
use tower::Layer;

use super::rates;
use crate::call::{get, post, send};
use crate::clock::millis;
use crate::retry::plain;

fn code(status: u16) -> Answer {
    Answer::status(status)
}

fn broken(how: Io) -> Answer {
    Answer::broken(how)
}

#[tokio::test(start_paused = true)]
async fn it_says_what_all_of_them_came_to() {
    let (reset, refused) = (Io::ConnectionReset, Io::ConnectionRefused);
    for (answers, earlier) in [
        (vec![code(503)], Answered),
        (vec![broken(reset), code(503)], Unknown),
        (vec![code(503), broken(reset)], Unknown),
        (vec![broken(refused)], NotSent),
    ] {
        let service = rates().layer(plain().layer(Script::new(answers.clone())));
        let response = send(&service, get()).await.unwrap();
        let extensions = response.extensions();
        let retries = *extensions.get::<Retries>().expect("there were attempts");
        assert_eq!((retries.attempts, retries.waited), (3, millis(200)), "{answers:?}");
        assert_eq!((retries.earlier, retries.gave_up), (earlier, Some(GaveUp::Attempts)));
        assert_eq!(extensions.get::<FellBack>().unwrap().delivery, earlier);
    }
}

#[tokio::test(start_paused = true)]
async fn one_attempt_that_was_lost_is_one() {
    let service = rates().layer(plain().layer(Script::new([broken(Io::ConnectionReset)])));
    let response = send(&service, post("a")).await.unwrap();
    let retries = *response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::NotSafe)));
    assert_eq!(retries.earlier, Delivery::Unknown);
    let bare = rates().layer(Script::new([code(503)]));
    let response = send(&bare, get()).await.unwrap();
    let retries = *response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up, retries.earlier), (1, None, Answered));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_has_none() {
    let breaker = CircuitBreakerLayer::new();
    let handle = breaker.handle();
    let service = rates().layer(plain().layer(breaker.layer(Script::new([code(200)]))));
    handle.force_open();
    let response = send(&service, get()).await.unwrap();
    assert!(response.extensions().get::<FellBack>().is_some());
    assert_eq!(response.extensions().get::<Retries>(), None);
}
