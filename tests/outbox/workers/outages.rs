//! A store that fails for long, or for one message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::outbox::TicketState;
use outrigger::testing::Answer;

use super::bench::{mail, provider, secs, sleep};
use super::troubles::{Fate, Unreliable, running};

#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_longer_than_its_lease_to_be_stored_is_not_asked_for_again() {
    // All of the store is away, and then only what settles, which is tried again last.
    const ALL: usize = 1;
    const SETTLE: usize = 2;
    let away = Arc::new(AtomicUsize::new(0));
    let is_away = Arc::clone(&away);
    let store = Unreliable::new(move |call| match (is_away.load(Ordering::SeqCst), call) {
        (ALL, _) | (SETTLE, "settle") => Fate::Refused,
        _ => Fate::Works,
    });
    let script = provider([Answer::status(200).after(secs(5))]);
    let running = running(&store, &script);
    let ticket = running.enqueue(mail("1")).await;
    sleep(1).await;
    away.store(ALL, Ordering::SeqCst);
    sleep(300).await;
    away.store(SETTLE, Ordering::SeqCst);
    sleep(200).await;
    away.store(0, Ordering::SeqCst);
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(script.requests().len(), 1);
    assert_eq!(running.outcomes(ticket.id).await, ["delivered"]);
}
