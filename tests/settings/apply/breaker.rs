//! A circuit breaker whose settings change while it is not closed, or was forced.

use outrigger::{Integration, Ratio};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use outrigger::circuit_breaker::Consecutive;
use outrigger::event::BreakerState;
use outrigger::testing::{Answer, Script};

use crate::call::{answers, apply, failure, get, once, seconds, status, user_flow};

/// Opens on two failures in a row, and lets probes through after five seconds.
fn fragile(provider: &Script) -> Integration {
    Integration::user_flow("crm")
        .breaker(|breaker| {
            let breaker = breaker.consecutive(Consecutive::Always(2)).no_success_for(seconds(0));
            let breaker = breaker.probes(3, 2);
            breaker.open_for(seconds(5), seconds(5)).open_jitter(Ratio::ZERO)
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

#[tokio::test(start_paused = true)]
async fn one_that_was_forced_open_is_so_again_once_there_is_one_again() {
    let provider = answers(200);
    let crm = user_flow(&provider);
    let handle = crm.breaker();
    handle.force_open();
    apply(&crm, "circuit_breaker.enabled = false");
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    assert_eq!((crm.breaker().forced(), crm.breaker().state()), (None, BreakerState::Closed));
    apply(&crm, "");
    assert_eq!(crm.breaker().forced(), Some(BreakerState::Open));
    assert!(failure(crm.send(get())).await.0.is_rejected());
    handle.release();
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    assert_eq!((crm.breaker().counts(), provider.begun()), (handle.counts(), 2));
}

#[tokio::test(start_paused = true)]
async fn another_window_forgets_failures_in_a_row_with_the_rest() {
    let crm = user_flow(&answers(500));
    for _ in 0..9 {
        status(crm.send(once())).await.unwrap();
    }
    tokio::time::sleep(seconds(2)).await;
    apply(&crm, "circuit_breaker.window = '1m'");
    status(crm.send(once())).await.unwrap();
    assert_eq!((crm.breaker().state(), crm.breaker().counts().failed), (BreakerState::Closed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_first_seen_while_settings_change_has_the_new_ones() {
    let changing = Arc::new(OnceLock::<Integration>::new());
    let seen = Arc::clone(&changing);
    let crm = Integration::user_flow("crm")
        .breaker(move |breaker| {
            breaker.keyed(10, seconds(60), move |head| {
                let crm = seen.get().expect("it was built");
                apply(crm, "circuit_breaker = { consecutive = 1, no_success_for = '0s' }");
                Cow::Owned(head.uri.path().into())
            })
        })
        .service(answers(500))
        .build()
        .unwrap();
    assert!(changing.set(crm.clone()).is_ok());
    status(crm.send(once())).await.unwrap();
    assert!(failure(crm.send(once())).await.0.is_rejected());
}
