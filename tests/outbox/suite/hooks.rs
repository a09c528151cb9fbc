use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger::outbox::{
    Action, Applied, DeadReason, ExpiredKey, MemoryHook, OutboxErrorKind, Outcome, Phase,
    Selection, State,
};
use outrigger::rt::Rng;

use super::bench::{Bench, HOOKED, Open, answer, lease, mail};

pub(crate) async fn a_function_that_fails_is_repeated_and_the_call_is_not(with: Open<'_>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bench = with(fails_times(1, Arc::clone(&seen))).await;
    let id = bench.enqueue_in(HOOKED, mail("1")).await.id;
    assert!(bench.store.has_hook(HOOKED) && !bench.store.has_hook("other"));

    let claimed = bench.claim_one(HOOKED).await;
    let hook_again = bench.after(5).await;
    let outcome = Outcome::Delivered { hook_again };
    let settled = bench.settle_with(lease(&claimed), outcome, Some(answer(200, "done"))).await;
    assert_eq!((settled.state, settled.phase), (State::Ready, Phase::Hook));
    let stored = bench.get(id).await.message;
    assert_eq!(stored.answer, Some(answer(200, "done")));
    assert_eq!(stored.progress.not_before, hook_again);

    bench.advance_secs(5).await;
    let claimed = bench.claim_one(HOOKED).await;
    assert_eq!((claimed.progress.phase, claimed.progress.attempt), (Phase::Hook, 1));
    // A worker tells only that it is to be settled; the answer is stored.
    assert_eq!(bench.deliver(&claimed).await.state, State::Delivered);
    assert_eq!(*seen.lock().unwrap(), [(200, "done".to_owned()), (200, "done".to_owned())]);
    let stored = bench.get(id).await.message;
    // Nobody asked to keep it.
    assert_eq!((stored.answer, stored.last_status), (None, Some(200)));
}

pub(crate) async fn a_function_that_panics_fails(with: Open<'_>) {
    let bench = with(Arc::new(|_, _| panic!("it fails"))).await;
    let claimed = delivered(&bench, 9).await;
    assert_eq!((claimed.state, claimed.phase), (State::Ready, Phase::Hook));
}

pub(crate) async fn a_function_that_fails_every_time_parks_the_message_with_its_answer(
    with: Open<'_>,
) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bench = with(fails_times(2, Arc::clone(&seen))).await;
    let id = bench.enqueue_in(HOOKED, mail("1").max_attempts(2)).await.id;
    for _ in 0..2 {
        let claimed = bench.claim_one(HOOKED).await;
        let outcome = Outcome::Delivered { hook_again: bench.now().await };
        bench.settle_with(lease(&claimed), outcome, Some(answer(200, "done"))).await;
    }
    let stored = bench.get(id).await.message;
    assert_eq!(stored.progress.dead_reason, Some(DeadReason::HookFailed));
    assert_eq!(stored.answer, Some(answer(200, "done")));

    let replay = Action::Replay(ExpiredKey::Refuse);
    let acted = bench.store.act(Selection::One(id), replay, "ada".into(), "fixed".into()).await;
    assert_eq!(acted.unwrap().changed, [id]);
    let claimed = bench.claim_one(HOOKED).await;
    assert_eq!(claimed.progress.phase, Phase::Hook);
    assert_eq!(bench.deliver(&claimed).await.state, State::Delivered);
    assert_eq!(seen.lock().unwrap().len(), 3);
}

pub(crate) async fn a_function_runs_for_a_success_that_is_told_late(with: Open<'_>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bench = with(fails_times(0, Arc::clone(&seen))).await;
    bench.enqueue_in(HOOKED, mail("1")).await;
    let slow = bench.claim_one(HOOKED).await;
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    assert_eq!(bench.deliver(&slow).await.applied, Some(Applied::Late));
    assert_eq!(bench.deliver(&slow).await.applied, None);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

pub(crate) async fn a_function_runs_for_a_success_that_is_told_after_people_gave_it_up(
    with: Open<'_>,
) {
    for action in [Action::Cancel, Action::Discard] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let bench = with(fails_times(1, Arc::clone(&seen))).await;
        let id = bench.enqueue_in(HOOKED, mail("1").dedup_key("order 7")).await.id;
        let slow = bench.claim_one(HOOKED).await;
        bench.advance_secs(60).await;
        bench.store.reap(10).await.unwrap();
        if action == Action::Discard {
            let other = bench.claim_one(HOOKED).await;
            bench.settle(&other, Outcome::Dead(DeadReason::Rejected)).await;
        }
        let acted = bench.store.act(Selection::One(id), action, "ada".into(), "late".into()).await;
        assert_eq!(acted.unwrap().changed, [id]);
        // It is free, and taken by another, while this one's success is still to be told.
        let later = mail("2").dedup_key("order 7").not_before(Duration::from_secs(999));
        let other = bench.enqueue_in(HOOKED, later).await;
        assert!(!other.is_duplicate);
        let outcome = Outcome::Delivered { hook_again: bench.now().await };
        let settled = bench.settle_with(lease(&slow), outcome, Some(answer(200, "done"))).await;
        assert_eq!(settled.applied, Some(Applied::Late));
        let told = bench.get(id).await;
        assert!(told.attempts.iter().any(|attempt| attempt.outcome == "hook_failed"), "{told:?}");
        let again = bench.enqueue_in(HOOKED, mail("3").dedup_key("order 7")).await;
        assert_eq!((again.id, again.is_duplicate), (other.id, true));
        assert_eq!((settled.state, settled.phase), (State::Ready, Phase::Hook));
        let claimed = bench.claim_one(HOOKED).await;
        assert_eq!(bench.deliver(&claimed).await.state, State::Delivered);
        assert_eq!(seen.lock().unwrap().len(), 2);
    }
}

pub(crate) async fn a_late_success_brings_nothing_back_to_a_message_that_was_erased(
    with: Open<'_>,
) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bench = with(fails_times(1, Arc::clone(&seen))).await;
    let id = bench.enqueue_in(HOOKED, mail("1").keep_answer(100)).await.id;
    let slow = bench.claim_one(HOOKED).await;
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    for action in [Action::Cancel, Action::Erase] {
        assert_eq!(bench.act(id, action).await.changed, [id]);
    }
    let outcome = Outcome::Delivered { hook_again: bench.now().await };
    let settled = bench.settle_with(lease(&slow), outcome, Some(answer(200, "a secret"))).await;
    assert_eq!((settled.applied, settled.state), (Some(Applied::Late), State::Delivered));
    let history = bench.get(id).await;
    let message = &history.message;
    assert_eq!((&message.answer, message.last_status), (&None, Some(200)));
    assert!(message.progress.erased && message.content.body.is_empty());
    assert!(history.attempts.iter().all(|attempt| attempt.error.is_none()), "{history:?}");
    assert!(seen.lock().unwrap().is_empty(), "it has nothing to read");
}

pub(crate) async fn a_message_that_the_provider_has_done_is_not_edited(with: Open<'_>) {
    let bench = with(Arc::new(|_, _| Err("the database refuses".into()))).await;
    let id = bench.enqueue_in(HOOKED, mail("1").max_attempts(1)).await.id;
    let claimed = bench.claim_one(HOOKED).await;
    bench.deliver(&claimed).await;
    assert_eq!(bench.state(id).await, "hook_failed");
    let new = mail("2").build(HOOKED, bench.now().await, &Rng::seeded(99)).unwrap();
    let edited = bench.store.edit(id, new, "ada".into(), "typo".into()).await;
    assert_eq!(edited.map_err(|error| error.kind()), Err(OutboxErrorKind::Refused));
    assert!(bench.claim(10).await.is_empty());
}

/// A function that fails so often at first, and keeps what it was given.
fn fails_times(times: usize, seen: Arc<Mutex<Vec<(u16, String)>>>) -> Arc<MemoryHook> {
    let left = AtomicUsize::new(times);
    Arc::new(move |_, answer| {
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        seen.lock().unwrap().push((answer.status, body));
        let step =
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if step.is_ok() { Err("the database refuses".into()) } else { Ok(()) }
    })
}

async fn delivered(bench: &Bench, attempts: u32) -> outrigger::outbox::Settled {
    bench.enqueue_in(HOOKED, mail("1").max_attempts(attempts)).await;
    let claimed = bench.claim_one(HOOKED).await;
    bench.deliver(&claimed).await
}
