//! People, while a provider limits them, and after it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use http::{Request, Response};
use outrigger::Body;
use outrigger::Error;
use outrigger::outcome::GaveUp;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use tower::service_fn;

use super::preset;
use crate::call::{get, millis, read, seconds};

/// What a provider answers to a request that comes at this time, when it has let so many through in this
/// second.
type Answers =
    fn(at: Duration, ends: u64, number: u64, in_this_second: u32) -> (u16, Option<&'static str>);

/// One call: when it came, how long it took, and whether it was answered well.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    came: Duration,
    took: Duration,
    is_good: bool,
}

/// So many calls a second for so long, and how many requests came in each second.
async fn calls(
    answers: Answers,
    rate: u32,
    ends: u64,
    length: Duration,
) -> (Vec<Outcome>, Vec<u32>) {
    let began = tokio::time::Instant::now();
    let seen = Arc::new(Mutex::new((Vec::<u32>::new(), Vec::<u32>::new(), 0)));
    let provider = {
        let seen = Arc::clone(&seen);
        service_fn(move |_: Request<Body>| {
            let seen = Arc::clone(&seen);
            async move {
                let at = began.elapsed();
                let (code, after) = {
                    let mut seen = seen.lock().unwrap();
                    let (came, let_through, number) = &mut *seen;
                    let second = at.as_secs() as usize;
                    came.resize(came.len().max(second + 1), 0);
                    let_through.resize(let_through.len().max(second + 1), 0);
                    (came[second], *number) = (came[second] + 1, *number + 1);
                    let answer = answers(at, ends, *number, let_through[second]);
                    let_through[second] += u32::from(answer.0 == 200);
                    answer
                };
                tokio::time::sleep(millis(20)).await;
                let response = Response::builder().status(code);
                let response = after
                    .into_iter()
                    .fold(response, |response, after| response.header("retry-after", after));
                Ok::<_, Error>(response.body(Body::empty()).expect("a response"))
            }
        })
    };
    let crm = preset().service(provider).build().unwrap();
    let many = (length.as_secs_f64() * f64::from(rate)) as u32;
    let outcomes = join_all((0..many).map(|number| {
        let crm = crm.clone();
        async move {
            let came = seconds(1) * number / rate;
            tokio::time::sleep(came).await;
            let answer = read(crm.send(get())).await;
            let is_good = answer.is_ok_and(|answer| answer.status() == 200);
            Outcome { came, took: began.elapsed() - came, is_good }
        }
    }));
    let outcomes = outcomes.await;
    let came = seen.lock().unwrap().0.clone();
    (outcomes, came)
}

/// The share of the calls that came between these seconds that were answered within five of them.
fn useful(outcomes: &[Outcome], from: u64, to: u64) -> f64 {
    let then = || outcomes.iter().filter(|call| (from..to).contains(&call.came.as_secs()));
    let useful = then().filter(|call| call.is_good && call.took <= seconds(5)).count();
    useful as f64 / then().count() as f64
}

/// How many seconds of traffic were lost between these.
fn lost(outcomes: &[Outcome], from: u64, to: u64) -> f64 {
    (1.0 - useful(outcomes, from, to)) * (to - from) as f64
}

/// Ten a second for a minute, and it doesn't say so.
fn ten_a_second(
    at: Duration,
    ends: u64,
    _: u64,
    in_this_second: u32,
) -> (u16, Option<&'static str>) {
    let is_limited = (60..ends).contains(&at.as_secs()) && in_this_second >= 10;
    (if is_limited { 429 } else { 200 }, None)
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_limits_that_nobody_tells_is_used_well_and_costs_little_afterwards() {
    // Whenever it ends: just before more is tried, or just after.
    for ends in [116, 119, 121, 122, 128] {
        let (outcomes, came) = calls(ten_a_second, 20, ends, seconds(200)).await;
        let in_it = useful(&outcomes, 60, ends);
        assert!(in_it >= 0.45, "{ends}: {in_it} of a half");
        let after = lost(&outcomes, ends, 200);
        assert!(after <= 4.5, "{ends}: {after} s");
        let refused = outcomes.iter().filter(|call| !call.is_good).map(|call| call.took);
        let longest = refused.max().unwrap();
        assert!(longest <= millis(600), "{ends}: {longest:?}");
        let worst = came.iter().max().unwrap();
        assert!(*worst <= 30, "{ends}: {worst} of 20");
    }
}

#[tokio::test(start_paused = true)]
async fn one_503_in_a_hundred_that_asks_for_half_a_minute_costs_no_more_than_itself() {
    let answers: Answers = |_, _, number, _| match number % 100 {
        0 => (503, Some("30")),
        _ => (200, None),
    };
    let (outcomes, _) = calls(answers, 20, 0, seconds(120)).await;
    let useful = useful(&outcomes, 0, 120);
    assert!(useful >= 0.98, "{useful}");
}

#[tokio::test(start_paused = true)]
async fn a_429_that_asks_for_no_wait_is_returned_as_it_is_and_not_as_a_refusal_of_ours() {
    let provider = Script::new([Answer::status(429)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let began = tokio::time::Instant::now();
    let response = read(crm.send(get())).await.expect("the provider's answer");
    assert_eq!(response.status(), 429);
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::WaitTooLong)));
    assert_eq!((began.elapsed(), provider.begun()), (Duration::ZERO, 1));
}
