use std::time::Duration;

use outrigger::outbox::{Pause, PausedBy, Priority, State, Timestamp};

use super::bench::{LANE, Open, mail, open, request};

pub(crate) async fn a_message_is_claimed_once(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.add("1").await;
    let claimed = bench.claim_one(LANE).await;
    assert_eq!(claimed.content.id, id);
    let progress = claimed.progress;
    assert_eq!((progress.state, progress.attempt, progress.token), (State::Leased, 1, 1));
    let lease = progress.lease.unwrap();
    assert_eq!((lease.owner.as_str(), lease.until), ("worker", bench.after(60).await));
    assert_eq!(progress.key_valid_until, Some(bench.after(3600).await));
    assert!(bench.claim(10).await.is_empty());
}

pub(crate) async fn a_message_is_not_claimed_before_its_time(with: Open<'_>) {
    let bench = open(with).await;
    bench.enqueue(mail("1").not_before(Duration::from_secs(10))).await;
    bench.advance(Duration::from_millis(9_999)).await;
    assert!(bench.claim(10).await.is_empty());
    bench.advance(Duration::from_millis(1)).await;
    assert_eq!(bench.claim_bodies(10).await, ["1"]);
}

pub(crate) async fn the_next_message_of_a_lane_that_is_due_is_told(with: Open<'_>) {
    let bench = open(with).await;
    assert_eq!(bench.claim_as(request(LANE, 10)).await.next_due, None);
    bench.enqueue(mail("1").not_before(Duration::from_secs(20))).await;
    let high = mail("2").priority(Priority::High);
    bench.enqueue(high.not_before(Duration::from_secs(30))).await;
    bench.enqueue_in("crm", mail("3").not_before(Duration::from_secs(5))).await;
    let due = bench.after(20).await;
    assert_eq!(bench.claim_as(request(LANE, 10)).await.next_due, Some(due));
}

pub(crate) async fn no_more_is_claimed_than_was_asked_for(with: Open<'_>) {
    let bench = open(with).await;
    for body in ["1", "2", "3"] {
        bench.add(body).await;
    }
    assert_eq!(bench.claim_bodies(2).await, ["1", "2"]);
    assert!(bench.claim(0).await.is_empty());
    assert_eq!(bench.claim_bodies(2).await, ["3"]);
}

pub(crate) async fn a_message_past_its_deadline_is_parked_and_not_claimed(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.enqueue(mail("1").deadline(Duration::from_secs(10))).await;
    bench.advance_secs(10).await;
    assert!(bench.claim(10).await.is_empty());
    let reaped = bench.store.reap(10).await.unwrap();
    assert_eq!(reaped.changed.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
    assert_eq!(bench.state(id).await, "expired");
}

pub(crate) async fn higher_priorities_go_first_until_lower_ones_have_waited(with: Open<'_>) {
    let bench = open(with).await;
    bench.enqueue(mail("old").priority(Priority::Low)).await;
    bench.advance_secs(1_199).await;
    bench.enqueue(mail("low").priority(Priority::Low)).await;
    bench.enqueue(mail("normal")).await;
    bench.enqueue(mail("high").priority(Priority::High)).await;
    // 20 minutes are two steps: the old one is no longer overtaken by new ones of high priority.
    assert_eq!(bench.claim_bodies(1).await, ["high"]);
    bench.advance_secs(2).await;
    bench.enqueue(mail("high 2").priority(Priority::High)).await;
    assert_eq!(bench.claim_bodies(10).await, ["old", "high 2", "normal", "low"]);
}

pub(crate) async fn a_paused_lane_gives_nothing_and_others_do(with: Open<'_>) {
    let bench = open(with).await;
    bench.add("1").await;
    bench.enqueue_in("crm", mail("2")).await;
    let until = bench.after(30).await;
    bench.store.pause(pause(until, PausedBy::Worker)).await.unwrap();
    let claimed = bench.claim_as(request(LANE, 10)).await;
    assert!(claimed.messages.is_empty());
    assert_eq!(claimed.next_due, Some(until));
    assert!(bench.store.stats(LANE.into()).await.unwrap().paused.is_some());
    bench.claim_one("crm").await;
    bench.advance_secs(30).await;
    assert!(bench.store.stats(LANE.into()).await.unwrap().paused.is_none());
    assert_eq!(bench.claim_bodies(10).await, ["1"]);
}

pub(crate) async fn a_workers_pause_shortens_no_other_pause(with: Open<'_>) {
    let bench = open(with).await;
    bench.add("1").await;
    let person = PausedBy::Person("ada".into());
    bench.store.pause(pause(Timestamp::NEVER, person.clone())).await.unwrap();
    bench.store.pause(pause(bench.after(1).await, PausedBy::Worker)).await.unwrap();
    bench.advance_secs(1_000).await;
    assert!(bench.claim(10).await.is_empty());
    let holds = bench.store.stats(LANE.into()).await.unwrap().paused.unwrap();
    assert_eq!((holds.until, holds.by), (Timestamp::NEVER, person));
    bench.store.resume(LANE.into(), "ada".into(), "they are back".into()).await.unwrap();
    assert_eq!(bench.claim_bodies(10).await, ["1"]);
}

fn pause(until: Timestamp, by: PausedBy) -> Pause {
    Pause { lane: LANE.into(), until, by, why: "they asked".into() }
}
