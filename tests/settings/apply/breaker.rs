//! A circuit breaker whose settings change while it is not closed, or was forced.

use outrigger::Integration;
use outrigger::event::BreakerState;
use outrigger::testing::{Answer, Script};

use crate::call::{apply, once, seconds, status};

/// Opens on two failures in a row, and lets probes through after five seconds.
fn fragile(provider: &Script) -> Integration {
    Integration::user_flow("crm")
        .breaker(|breaker| {
            let breaker = breaker.consecutive(outrigger::circuit_breaker::Consecutive::Always(2));
            breaker.open_for(seconds(5), seconds(5)).open_jitter(outrigger::Ratio::ZERO)
        })
        .service(provider.clone())
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn fewer_probes_than_have_come_back_let_the_next_ones_through() {
    for (probes, then) in [
        (vec![200], "probes = 1, probe_successes = 1"),
        (vec![200, 500], "probes = 2, probe_successes = 2"),
        (vec![500], "probes = 1, probe_successes = 1"),
    ] {
        let answers = [500, 500].into_iter().chain(probes.clone()).chain([200]);
        let provider = Script::new(answers.map(Answer::status));
        let crm = fragile(&provider);
        for _ in 0..2 {
            status(crm.send(once())).await.unwrap();
        }
        assert_eq!(crm.breaker().state(), BreakerState::Open);
        tokio::time::sleep(seconds(5)).await;
        for expected in &probes {
            assert_eq!(status(crm.send(once())).await.unwrap(), *expected);
        }
        assert_eq!(crm.breaker().state(), BreakerState::HalfOpen);
        apply(&crm, &format!("circuit_breaker = {{ {then} }}"));
        for _ in 0..2 {
            assert_eq!(status(crm.send(once())).await.unwrap(), 200, "{probes:?}, then {then}");
        }
        assert_eq!(crm.breaker().state(), BreakerState::Closed);
    }
}
