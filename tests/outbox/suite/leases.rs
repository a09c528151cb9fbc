use std::time::Duration;

use outrigger::outbox::{DeadReason, State};

use super::bench::{LANE, Open, lease, mail, open};

pub(crate) async fn a_lease_that_is_over_is_taken_back_as_unknown(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    bench.claim_one(LANE).await;
    bench.advance(Duration::from_millis(59_999)).await;
    assert!(bench.store.reap(10).await.unwrap().changed.is_empty());
    assert_eq!(bench.state(id).await, "leased");
    bench.advance(Duration::from_millis(1)).await;
    let reaped = bench.store.reap(10).await.unwrap().changed;
    assert_eq!(reaped.len(), 1);
    assert_eq!((reaped[0].id, reaped[0].lane.as_str(), reaped[0].state), (id, LANE, State::Ready));
    let history = bench.get(id).await;
    assert_eq!((history.message.progress.unknown, history.message.progress.attempt), (1, 1));
    assert_eq!(history.attempts.len(), 1);
    assert_eq!((history.attempts[0].number, history.attempts[0].outcome.as_str()), (1, "unknown"));
    assert_eq!(bench.claim_one(LANE).await.progress.attempt, 2);
}

pub(crate) async fn a_lease_that_is_extended_is_not_taken_back(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let claimed = bench.claim_one(LANE).await;
    let minute = Duration::from_secs(60);
    for _ in 0..5 {
        bench.advance_secs(40).await;
        assert_eq!(bench.store.extend(vec![lease(&claimed)], minute).await.unwrap(), [true]);
        assert!(bench.store.reap(10).await.unwrap().changed.is_empty());
    }
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    assert_eq!(bench.store.extend(vec![lease(&claimed)], minute).await.unwrap(), [false]);
    bench.claim_one(LANE).await;
    // Another one's lease.
    assert_eq!(bench.store.extend(vec![lease(&claimed)], minute).await.unwrap(), [false]);
    assert_eq!(bench.state(id).await, "leased");
}

pub(crate) async fn a_message_that_ends_every_worker_is_parked_after_its_attempts(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.enqueue(mail("1").max_attempts(3)).await;
    for _ in 0..3 {
        bench.claim_one(LANE).await;
        bench.advance_secs(60).await;
        bench.store.reap(10).await.unwrap();
    }
    assert!(bench.claim(10).await.is_empty());
    let progress = bench.get(id).await.message.progress;
    assert_eq!((progress.state, progress.dead_reason), (State::Dead, Some(DeadReason::Poison)));
    assert_eq!((progress.attempt, progress.unknown), (3, 3));
}

pub(crate) async fn a_reaper_works_in_pages_until_nothing_is_left(with: Open<'_>) {
    let bench = open(with).await;
    for _ in 0..5 {
        bench.add("leased").await;
    }
    bench.claim(10).await;
    bench.enqueue(mail("waits").deadline(Duration::from_secs(30))).await;
    bench.advance_secs(60).await;
    let (mut changed, mut pages) = (0, 0);
    loop {
        let reaped = bench.store.reap(2).await.unwrap();
        changed += reaped.changed.len();
        pages += 1;
        assert!(pages < 10, "it ends");
        if !reaped.has_more {
            break;
        }
    }
    assert_eq!(changed, 6);
}

pub(crate) async fn two_reapers_take_a_lease_back_once(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    bench.claim_one(LANE).await;
    bench.advance_secs(60).await;
    let (one, other) = tokio::join!(bench.store.reap(10), bench.store.reap(10));
    assert_eq!(one.unwrap().changed.len() + other.unwrap().changed.len(), 1);
    assert_eq!(bench.get(id).await.message.progress.unknown, 1);
}

pub(crate) async fn what_an_attempt_came_to_replaces_that_it_was_unknown(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let slow = bench.claim_one(LANE).await;
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    bench.deliver(&slow).await;
    let attempts = bench.get(id).await.attempts;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].outcome, "late");
}
