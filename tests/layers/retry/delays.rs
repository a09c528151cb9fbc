//! How long it waits between attempts.

use std::collections::HashSet;
use std::time::Duration;

use http::Request;
use outrigger::backoff::{Backoff, Jitter};
use outrigger::event::{Emitter, Event};
use outrigger::outcome::GaveUp;
use outrigger::retry::{Retries, RetryBudget, RetryLayer};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Body, Ratio};
use tower::Layer;

use super::plain;
use crate::call::{get, send, status};
use crate::clock::{millis, secs, timed};

/// What was waited between the attempts of one call that always fails so.
async fn delays(layer: RetryLayer, answer: Answer) -> Vec<Duration> {
    let events = EventRecorder::new();
    let layer = layer.emitter(Emitter::new().with(events.clone()));
    let service = layer.layer(Script::new([answer]));
    let (took, _) = timed(status(&service, get())).await;
    let delay = |event| match event {
        Event::RetryScheduled { delay, .. } => Some(delay),
        _ => None,
    };
    let delays: Vec<_> = events.events().into_iter().filter_map(delay).collect();
    let waited: Duration = delays.iter().sum();
    // The runtime's timer rounds each wait up to a millisecond.
    let rounding = millis(delays.len() as u64);
    assert!((waited..=waited + rounding).contains(&took), "{waited:?} announced, {took:?} waited");
    delays
}

fn asking(seconds: &str) -> Answer {
    Answer::status(503).header("retry-after", seconds)
}

#[tokio::test(start_paused = true)]
async fn delays_double_up_to_their_cap() {
    let backoff = Backoff::exponential(millis(100), millis(700)).jitter(Jitter::None);
    let layer = plain().max_attempts(6).backoff(backoff);
    let expected = [100, 200, 400, 700, 700].map(millis);
    assert_eq!(delays(layer, Answer::status(503)).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_is_kept_and_its_last_delay_repeats() {
    let schedule = Backoff::schedule([0, 1, 5].map(secs));
    let layer = plain().max_attempts(6).backoff(schedule);
    assert_eq!(delays(layer, Answer::status(503)).await, [0, 1, 5, 5, 5].map(secs));
}

#[tokio::test(start_paused = true)]
async fn every_request_gets_a_jitter_of_its_own() {
    let layer = RetryLayer::new().budget(RetryBudget::unlimited()).rng(Rng::seeded(7));
    let layer = layer.backoff(Backoff::exponential(secs(1), secs(1))).max_attempts(2);
    let mut different = HashSet::new();
    for _ in 0..100 {
        let delays = delays(layer.clone(), Answer::status(503)).await;
        assert!(delays[0] <= secs(1));
        different.insert(delays);
    }
    assert_eq!(different.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_its_delays() {
    let run = |seed| async move {
        let backoff = Backoff::exponential(millis(100), secs(10));
        let layer = plain().max_attempts(5).backoff(backoff).rng(Rng::seeded(seed));
        delays(layer, Answer::status(503)).await
    };
    assert_eq!(run(1).await, run(1).await);
    assert_ne!(run(1).await, run(2).await);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let layer = plain().max_attempts(2).retry_after_spread(Ratio::ZERO);
    for code in [429, 503, 500, 408] {
        let answer = Answer::status(code).header("retry-after", "7");
        assert_eq!(delays(layer.clone(), answer).await, [secs(7)], "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_spread_upwards_and_never_downwards() {
    let layer = plain().max_attempts(101).retry_after_spread(Ratio::percent(50));
    let delays = delays(layer.rng(Rng::seeded(3)), asking("10")).await;
    assert!(delays.iter().all(|delay| (secs(10)..=secs(15)).contains(delay)), "{delays:?}");
    assert_eq!(delays.iter().collect::<HashSet<_>>().len(), 100);
    assert!(delays.iter().any(|delay| *delay > secs(14)), "the whole spread is used");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_over_the_cap_is_not_waited_out_and_never_cut() {
    let layer = plain().max_attempts(2).retry_after_spread(Ratio::ZERO);
    assert_eq!(delays(layer.clone(), asking("300")).await, [secs(300)], "the default");
    assert_eq!(delays(layer.clone(), asking("301")).await, [Duration::ZERO; 0]);
    let patient = layer.clone().without_retry_after_cap();
    assert_eq!(delays(patient, asking("3600")).await, [secs(3_600)]);
    let hasty = layer.retry_after_cap(secs(2));
    assert_eq!(delays(hasty.clone(), asking("2")).await, [secs(2)]);
    let service = hasty.layer(Script::new([asking("3600")]));
    let response = send(&service, get()).await.unwrap();
    let retries = response.extensions().get::<Retries>().expect("noted");
    assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::WaitTooLong)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_nothing_is_a_backoff_and_not_a_storm() {
    let layer = plain().max_attempts(4);
    assert_eq!(delays(layer.clone(), asking("0")).await, [millis(100); 3]);
    let passed = asking("Sun, 06 Nov 1994 08:49:37 GMT");
    let passed = passed.header("date", "Sun, 06 Nov 1994 08:50:00 GMT");
    assert_eq!(delays(layer.clone(), passed).await, [millis(100); 3]);
    assert_eq!(delays(layer, asking("soon")).await, [millis(100); 3]);
}

#[tokio::test(start_paused = true)]
async fn all_three_date_forms_are_read_against_the_answers_own_date() {
    let layer = plain().max_attempts(2).retry_after_spread(Ratio::ZERO);
    for date in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ] {
        let answer = asking(date).header("date", "Sun, 06 Nov 1994 08:49:00 GMT");
        assert_eq!(delays(layer.clone(), answer).await, [secs(37)], "{date}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_date_of_its_own_an_answer_is_read_against_the_clock() {
    let wall = std::time::UNIX_EPOCH + secs(784_111_740);
    let layer = plain().max_attempts(2).retry_after_spread(Ratio::ZERO);
    let layer = layer.clock(Clock::anchored(wall));
    let date = asking("Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(delays(layer, date).await, [secs(37)]);
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_goes_out_no_sooner_than_asked() {
    let provider = Script::new([asking("5"), Answer::status(200)]);
    let service = plain().retry_after_spread(Ratio::ZERO).layer(provider);
    let (took, result) = timed(send(&service, Request::new(Body::empty()))).await;
    assert_eq!((took, result.unwrap().status().as_u16()), (secs(5), 200));
}
