//! What an answer says of the attempts before it.

use std::io::ErrorKind as Io;

use outrigger::Delivery::{self, Answered, NotSent, Unknown};
use outrigger::outcome::GaveUp;
use outrigger::retry::{EmptyBudget, Retries, RetryBudget};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Ratio, hedge::HedgeLayer};
use tower::Layer;

use super::plain;
use crate::call::{get, keyed_post, send};
use crate::clock::{millis, secs};

fn code(status: u16) -> Answer {
    Answer::status(status)
}

fn reset() -> Answer {
    Answer::broken(Io::ConnectionReset)
}

fn refused() -> Answer {
    Answer::broken(Io::ConnectionRefused)
}

/// The status of a keyed call's answer, after how many attempts, and what is known of the earlier ones.
async fn told(answers: &[Answer]) -> (u16, u32, Delivery) {
    let attempts = TimeoutLayer::new().attempt(secs(2)).layer(Script::new(answers.to_vec()));
    let response = send(&plain().layer(attempts), keyed_post("a")).await.unwrap();
    let retries = response.extensions().get::<Retries>().expect("more than one attempt");
    (response.status().as_u16(), retries.attempts, retries.earlier)
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_a_lost_attempt_says_so_whatever_it_is() {
    for lost in [Answer::hang(), reset(), Answer::broken(Io::UnexpectedEof)] {
        for status in [200, 201, 404, 409, 422] {
            // A 409 under the key is waited out once more.
            let last = if status == 409 { (409, 3, Unknown) } else { (status, 2, Unknown) };
            assert_eq!(told(&[lost.clone(), code(status)]).await, last, "{lost:?}");
        }
        assert_eq!(told(&[lost, refused(), code(409)]).await, (409, 3, Unknown));
    }
}

#[tokio::test(start_paused = true)]
async fn the_worst_of_the_earlier_attempts_counts_and_not_the_answer_itself() {
    for (answers, earlier) in [
        (vec![refused(), code(200)], NotSent),
        (vec![refused(), code(422)], NotSent),
        (vec![refused(), refused(), code(503)], NotSent),
        (vec![code(503), code(200)], Answered),
        (vec![refused(), code(503), code(200)], Answered),
        (vec![code(503), refused(), code(200)], Answered),
        (vec![code(503), reset(), code(200)], Unknown),
        (vec![reset(), code(503), code(503)], Unknown),
    ] {
        assert_eq!(told(&answers).await.2, earlier, "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_that_is_given_up_on_had_none_before_it() {
    let response = send(&plain().max_attempts(1).layer(Script::new([code(503)])), get()).await;
    let retries = *response.unwrap().extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.earlier), (1, NotSent));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_waited_for_budget_in_vain_says_so_too() {
    let budget = RetryBudget::new(Ratio::ZERO, 1).burst(0).floor_period(secs(3_600));
    let retry =
        plain().budget(budget).when_budget_is_empty(EmptyBudget::Wait).max_elapsed(secs(60));
    let service = retry.layer(Script::new([reset(), code(503)]));
    let response = send(&service, get()).await.unwrap();
    let retries = *response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (2, Some(GaveUp::Budget)));
    assert_eq!(retries.earlier, Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_beside_an_attempt_counts_as_well() {
    let hedge = HedgeLayer::after(millis(50)).budget(RetryBudget::unlimited());
    let late = |status| code(status).after(millis(200));
    for (answers, attempts, earlier) in [
        // The first is answered, the second is on its way.
        (vec![late(200), Answer::hang()], 2, Unknown),
        (vec![late(503), reset(), code(200)], 3, Unknown),
        (vec![late(503), refused(), code(200)], 3, Answered),
        (vec![late(503), code(503), code(200)], 3, Answered),
    ] {
        let service = plain().layer(hedge.clone().layer(Script::new(answers.clone())));
        let response = send(&service, get()).await.unwrap();
        let retries = response.extensions().get::<Retries>().unwrap();
        assert_eq!((retries.attempts, retries.earlier), (attempts, earlier), "{answers:?}");
    }
}
