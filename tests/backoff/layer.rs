//! Delays as a user sees them.

use std::time::Duration;

use http::Request;
use outrigger::Body;
use outrigger::backoff::{Backoff, Jitter};
use outrigger::event::{Emitter, Event};
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::rt::Rng;
use outrigger::testing::{Answer, EventRecorder, Script};
use tower::{Layer, ServiceExt};

use crate::{ALL, delays};

#[test]
fn the_defaults_double_from_the_base_with_full_jitter_and_the_others_have_none() {
    let second = Duration::from_secs(1);
    let exponential = Backoff::exponential(second, second * 10);
    let linear = Backoff::linear(second, second, second * 10);
    assert_eq!(linear, linear.clone().jitter(Jitter::Full));
    assert_eq!(exponential, exponential.clone().factor(2.0).jitter(Jitter::Full));
    assert_eq!(Backoff::fixed(second), Backoff::fixed(second).jitter(Jitter::None));
    let schedule = Backoff::schedule([second, second * 5]);
    assert_eq!(schedule, schedule.clone().jitter(Jitter::None));
    assert_eq!(Jitter::default(), Jitter::Full);
}

#[test]
fn a_factor_changes_neither_a_fixed_delay_nor_a_schedule_nor_one_that_grows_by_a_step() {
    let second = Duration::from_secs(1);
    let linear = Backoff::linear(second, second, second * 10);
    assert_eq!(linear.clone().factor(3.0), linear);
    assert_eq!(Backoff::fixed(second).factor(3.0), Backoff::fixed(second));
    let schedule = [second, second * 5];
    assert_eq!(Backoff::schedule(schedule).factor(3.0), Backoff::schedule(schedule));
}

/// What a retry layer waits in one call that always fails.
async fn waited(backoff: Backoff, attempts: u32, rng: Rng) -> Vec<Duration> {
    let events = EventRecorder::new();
    let service = RetryLayer::new()
        .max_attempts(attempts)
        .backoff(backoff)
        .budget(RetryBudget::unlimited())
        .rng(rng)
        .emitter(Emitter::new().with(events.clone()))
        .layer(Script::new([Answer::status(503)]));
    service.oneshot(Request::new(Body::empty())).await.unwrap();
    let delay = |event| match event {
        Event::RetryScheduled { delay, .. } => Some(delay),
        _ => None,
    };
    events.events().into_iter().filter_map(delay).collect()
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_by_its_backoff_and_nothing_else() {
    let second = Duration::from_secs(1);
    for jitter in ALL {
        for backoff in [
            Backoff::exponential(second, second * 60),
            Backoff::linear(second, second * 2, second * 10),
            Backoff::fixed(second),
            Backoff::schedule([0, 1, 5, 30, 300].map(Duration::from_secs)),
        ] {
            let backoff = backoff.jitter(jitter);
            let expected = delays(&backoff, 7, &Rng::seeded(42));
            let waited = waited(backoff.clone(), 8, Rng::seeded(42)).await;
            assert_eq!(waited, expected, "{backoff:?}");
        }
    }
}
