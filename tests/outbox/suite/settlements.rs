use std::time::Duration;

use outrigger::outbox::{
    Applied, DeadReason, Effect, LeaseRef, Outcome, Phase, Report, Settlement, State, Timestamp,
};
use outrigger::rt::Rng;

use super::bench::{LANE, Open, answer, lease, mail, open};

pub(crate) async fn a_failure_is_tried_again_at_its_time_until_attempts_are_used_up(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let id = bench.enqueue(mail("1").max_attempts(2)).await;
    let first = bench.claim_one(LANE).await;
    let settled = bench.fail(&first, 5).await;
    assert_eq!((settled.applied, settled.state), (Some(Applied::Now), State::Ready));
    assert!(bench.claim(1).await.is_empty());
    bench.advance_secs(5).await;
    let second = bench.claim_one(LANE).await;
    assert_eq!((second.progress.attempt, second.progress.token), (2, 2));
    let settled = bench.fail(&second, 5).await;
    assert_eq!((settled.state, settled.dead_reason), (State::Dead, Some(DeadReason::Exhausted)));
    bench.advance_secs(1_000).await;
    assert!(bench.claim(1).await.is_empty());
    assert_eq!(bench.state(id).await, "exhausted");
}

pub(crate) async fn a_retry_past_the_deadline_is_none(with: Open<'_>) {
    let bench = open(with).await;
    bench.enqueue(mail("1").deadline(Duration::from_secs(60))).await;
    let claimed = bench.claim_one(LANE).await;
    let settled = bench.fail(&claimed, 60).await;
    assert_eq!(settled.dead_reason, Some(DeadReason::Expired));
}

pub(crate) async fn a_snooze_is_no_attempt(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.enqueue(mail("1").max_attempts(1)).await;
    for _ in 0..5 {
        let claimed = bench.claim_one(LANE).await;
        let until = bench.after(3).await;
        bench.settle(&claimed, Outcome::Snooze { until }).await;
        assert!(bench.claim(1).await.is_empty());
        bench.advance_secs(3).await;
    }
    let progress = bench.get(id).await.message.progress;
    assert_eq!((progress.state, progress.attempt, progress.snoozes), (State::Ready, 0, 5));
    // Nothing was sent, so the key's time has not begun.
    assert_eq!((progress.first_attempt, progress.key_valid_until), (None, None));
}

pub(crate) async fn an_accepted_job_is_polled_without_using_attempts(with: Open<'_>) {
    let bench = open(with).await;
    let message = mail("1").max_attempts(1).deadline(Duration::from_secs(60));
    let id = bench.enqueue(message).await;
    for _ in 0..5 {
        let claimed = bench.claim_one(LANE).await;
        assert_eq!(claimed.progress.attempt, 1);
        let (at, uri) = (bench.after(5).await, "https://api.mailer.example/jobs/1".to_owned());
        bench.settle(&claimed, Outcome::Accepted { at, uri }).await;
        bench.advance_secs(5).await;
    }
    let stats = bench.store.stats(LANE.into()).await.unwrap();
    assert_eq!((stats.ready, stats.polling), (1, 1));
    let claimed = bench.claim_one(LANE).await;
    assert_eq!(claimed.progress.phase, Phase::Poll);
    assert_eq!(claimed.progress.poll_uri.as_deref(), Some("https://api.mailer.example/jobs/1"));
    let outcome = Outcome::Accepted { at: Timestamp(0), uri: "/jobs/1".into() };
    let shown = format!("{:?} {outcome:?}", claimed.progress);
    assert!(!shown.contains("/jobs/1"), "it may hold a secret: {shown}");
    bench.fail(&claimed, 100).await;
    assert_eq!(bench.state(id).await, "expired");
    // A person may have it asked for again.
    assert!(bench.get(id).await.message.progress.poll_uri.is_some());
    bench.deliver(&claimed).await;
    assert_eq!(bench.get(id).await.message.progress.poll_uri, None);
}

pub(crate) async fn a_success_counts_however_late_it_is_told(with: Open<'_>) {
    let bench = open(with).await;
    // Waiting again, with another worker, and dead.
    for stands in ["ready", "leased", "poison"] {
        let attempts = if stands == "poison" { 1 } else { 9 };
        let id = bench.enqueue(mail("1").max_attempts(attempts)).await;
        let slow = bench.claim_one(LANE).await;
        bench.advance_secs(60).await;
        bench.store.reap(10).await.unwrap();
        let other = match stands {
            "leased" => Some(bench.claim_one(LANE).await),
            _ => None,
        };
        assert_eq!(bench.state(id).await, stands);
        assert_eq!(bench.deliver(&slow).await.applied, Some(Applied::Late));
        assert_eq!(bench.state(id).await, "delivered");
        if let Some(other) = other {
            assert_eq!(bench.fail(&other, 5).await.applied, None);
            assert_eq!(bench.state(id).await, "delivered");
        }
    }
}

pub(crate) async fn a_failure_that_is_told_late_changes_nothing(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let slow = bench.claim_one(LANE).await;
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    let before = bench.get(id).await.message.progress;
    assert_eq!(bench.fail(&slow, 500).await.applied, None);
    assert_eq!(bench.settle(&slow, Outcome::Dead(DeadReason::Rejected)).await.applied, None);
    assert_eq!(bench.get(id).await.message.progress, before);
    let other = bench.claim_one(LANE).await;
    assert_eq!(bench.fail(&slow, 500).await.applied, None);
    assert_eq!(bench.deliver(&other).await.applied, Some(Applied::Now));
}

pub(crate) async fn a_success_that_is_told_twice_is_one(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let claimed = bench.claim_one(LANE).await;
    assert_eq!(bench.deliver(&claimed).await.applied, Some(Applied::Now));
    let settled = bench.get(id).await.message.progress.settled;
    bench.advance_secs(1).await;
    assert_eq!(bench.deliver(&claimed).await.applied, None);
    assert_eq!(bench.get(id).await.message.progress.settled, settled);
}

pub(crate) async fn an_answer_is_kept_up_to_its_cap(with: Open<'_>) {
    let bench = open(with).await;
    for (cap, kept) in [(4, Some("abcd")), (100, Some("abcdef")), (0, None)] {
        let message = if cap == 0 { mail("1") } else { mail("1").keep_answer(cap) };
        let id = bench.enqueue(message).await;
        let claimed = bench.claim_one(LANE).await;
        let outcome = Outcome::Delivered { hook_again: Timestamp(0) };
        bench.settle_with(lease(&claimed), outcome, Some(answer(201, "abcdef"))).await;
        let stored = bench.get(id).await.message;
        assert_eq!(stored.last_status, Some(201));
        let kept = kept.map(|body| answer(201, body));
        assert_eq!(stored.answer, kept, "cap {cap}");
    }
}

pub(crate) async fn each_attempt_is_recorded_with_what_it_came_to(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let effects = [Effect::None, Effect::Unknown];
    for effect in effects {
        let claimed = bench.claim_one(LANE).await;
        let at = bench.after(1).await;
        bench.settle(&claimed, Outcome::Retry { at, effect }).await;
        bench.advance_secs(1).await;
    }
    let claimed = bench.claim_one(LANE).await;
    bench.deliver(&claimed).await;
    let history = bench.get(id).await;
    let told: Vec<_> =
        history.attempts.iter().map(|attempt| (attempt.number, attempt.outcome.as_str())).collect();
    assert_eq!(told, [(1, "retryable"), (2, "unknown"), (3, "delivered")]);
    assert_eq!(history.attempts[0].request_id.as_deref(), Some("req-1"));
    assert_eq!(history.attempts[0].owner, "worker");
    assert!(history.attempts[0].next_at.is_some() && history.attempts[2].next_at.is_none());
    assert_eq!(history.message.progress.unknown, 1);
}

pub(crate) async fn a_batch_is_settled_one_by_one(with: Open<'_>) {
    let bench = open(with).await;
    for body in ["1", "2", "3"] {
        bench.add(body).await;
    }
    let claimed = bench.claim(10).await;
    let hook_again = bench.after(1).await;
    let settle = |message, outcome| Settlement {
        lease: lease(message),
        outcome,
        report: Report::default(),
        answer: None,
        unkept: None,
    };
    let mut stale = lease(&claimed[1]);
    stale.token += 1;
    let settled = bench
        .store
        .settle(vec![
            settle(&claimed[0], Outcome::Delivered { hook_again }),
            Settlement { lease: stale, ..settle(&claimed[1], Outcome::Delivered { hook_again }) },
            settle(&claimed[2], Outcome::Dead(DeadReason::Rejected)),
        ])
        .await
        .unwrap();
    let settled = settled.into_iter().flatten();
    let applied: Vec<_> = settled.map(|settled| (settled.applied, settled.state)).collect();
    let now = Some(Applied::Now);
    assert_eq!(applied, [(now, State::Delivered), (None, State::Leased), (now, State::Dead)]);
}

pub(crate) async fn a_message_that_is_gone_fails_no_other_of_its_batch(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let claimed = bench.claim_one(LANE).await;
    let gone = mail("2").build(LANE, bench.now().await, &Rng::seeded(99)).unwrap().content.id;
    let hook_again = bench.after(1).await;
    let settle = |lease| Settlement {
        lease,
        outcome: Outcome::Delivered { hook_again },
        report: Report::default(),
        answer: None,
        unkept: None,
    };
    let settlements = vec![settle(LeaseRef { id: gone, token: 1 }), settle(lease(&claimed))];
    let settled = bench.store.settle(settlements).await.unwrap();
    assert_eq!(settled[0], None);
    assert_eq!(settled[1].map(|settled| settled.state), Some(State::Delivered));
    assert_eq!(bench.state(id).await, "delivered");
}
