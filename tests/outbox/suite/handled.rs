//! Messages that are only handled, by a function of the host: nothing is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::outbox::{
    Action, DeadReason, ExpiredKey, MemoryHook, Outcome, Phase, Refusal, State,
};
use outrigger::rt::Rng;

use super::bench::{Bench, HOOKED, Open, lease, mail};

pub(crate) async fn a_message_that_is_only_handled_uses_up_attempts_and_has_a_deadline(
    with: Open<'_>,
) {
    let bench = with(fails(Arc::new(AtomicBool::new(true)))).await;
    let id = bench.handle(mail("1").max_attempts(2)).await;
    for attempt in 1..=2 {
        let claimed = bench.claim_one(HOOKED).await;
        assert_eq!((claimed.progress.phase, claimed.progress.attempt), (Phase::Handle, attempt));
        fail(&bench, &claimed, 0).await;
    }
    assert_eq!(bench.state(id).await, "hook_failed");
    // A person may correct what can't be handled.
    let new = mail("2").build(HOOKED, bench.now().await, &Rng::seeded(99)).unwrap();
    bench.store.edit(id, new, "ada".into(), "typo".into()).await.unwrap();
    let edited = bench.claim_one(HOOKED).await;
    bench.settle(&edited, Outcome::Dead(DeadReason::Rejected)).await;

    let late = bench.handle(mail("3").deadline(Duration::from_secs(30))).await;
    let claimed = bench.claim_one(HOOKED).await;
    fail(&bench, &claimed, 10).await;
    bench.advance_secs(30).await;
    bench.store.reap(10).await.unwrap();
    assert_eq!(bench.state(late).await, "expired");

    // Its process ended each time: nothing is unknown, because nothing was sent.
    let poison = bench.handle(mail("4").max_attempts(2)).await;
    for _ in 0..2 {
        bench.claim_one(HOOKED).await;
        bench.advance_secs(60).await;
        bench.store.reap(10).await.unwrap();
    }
    let progress = bench.get(poison).await.message.progress;
    assert_eq!((progress.dead_reason, progress.unknown), (Some(DeadReason::Poison), 0));
}

pub(crate) async fn a_message_that_is_only_handled_is_called_off_between_attempts_for_good(
    with: Open<'_>,
) {
    for action in [Action::Cancel, Action::Discard] {
        let (is_down, runs) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let bench = with(counted(fails(Arc::clone(&is_down)), Arc::clone(&runs))).await;
        let id = bench.handle(mail("1")).await;
        let claimed = bench.claim_one(HOOKED).await;
        fail(&bench, &claimed, 0).await;
        assert_eq!(bench.state(id).await, "ready");
        let slow = bench.claim_one(HOOKED).await;
        bench.advance_secs(60).await;
        bench.store.reap(10).await.unwrap();
        if action == Action::Discard {
            let other = bench.claim_one(HOOKED).await;
            bench.settle(&other, Outcome::Dead(DeadReason::Rejected)).await;
        }
        assert_eq!(bench.act(id, action).await.changed, [id]);
        is_down.store(false, Ordering::SeqCst);
        assert_eq!(bench.deliver(&slow).await.applied, None);
        assert_ne!(bench.get(id).await.message.progress.state, State::Delivered);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}

pub(crate) async fn of_two_workers_only_the_one_with_the_lease_handles_a_message(with: Open<'_>) {
    let (is_down, runs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let bench = with(counted(fails(is_down), Arc::clone(&runs))).await;
    let id = bench.handle(mail("1")).await;
    let slow = bench.claim_one(HOOKED).await;
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    let other = bench.claim_one(HOOKED).await;
    assert_eq!(bench.deliver(&slow).await.applied, None);
    assert_eq!(bench.deliver(&other).await.state, State::Delivered);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let replay = bench.act(id, Action::Replay(ExpiredKey::Refuse)).await;
    assert_eq!(replay.refused, [(id, Refusal::NotDead)]);
}

pub(crate) async fn what_a_function_said_when_it_failed_is_recorded_without_secrets(
    with: Open<'_>,
) {
    let token = concat!("ghp", "_0123456789abcdefghijABCDEFGHIJ012345");
    let bench = with(Arc::new(move |_, _| {
        Err(format!("no order 7 by {token}: {}", "\u{e9}".repeat(600)).into())
    }))
    .await;
    let id = bench.enqueue_in(HOOKED, mail("1").max_attempts(1)).await.id;
    let claimed = bench.claim_one(HOOKED).await;
    bench.deliver(&claimed).await;
    let said = bench.get(id).await.attempts[0].error.clone().unwrap();
    assert!(said.starts_with("no order 7 by ") && !said.contains(token), "{said}");
    assert!((490..=500).contains(&said.len()), "{}", said.len());

    bench.act(id, Action::Discard).await;
    bench.act(id, Action::Erase).await;
    assert_eq!(bench.get(id).await.attempts[0].error, None);
}

async fn fail(bench: &Bench, claimed: &outrigger::outbox::StoredMessage, secs: u64) {
    let outcome = Outcome::Delivered { hook_again: bench.after(secs).await };
    bench.settle_with(lease(claimed), outcome, None).await;
}

fn fails(is_down: Arc<AtomicBool>) -> Arc<MemoryHook> {
    Arc::new(move |_, _| match is_down.load(Ordering::SeqCst) {
        true => Err("the database refuses".into()),
        false => Ok(()),
    })
}

fn counted(hook: Arc<MemoryHook>, runs: Arc<AtomicUsize>) -> Arc<MemoryHook> {
    Arc::new(move |message, answer| {
        runs.fetch_add(1, Ordering::SeqCst);
        hook(message, answer)
    })
}
