use outrigger::outbox::{
    Action, ClaimRequest, DeadHead, DeadReason, ExpiredKey, Filter, Message, MessageId, Outcome,
    Priority, Selection,
};
use outrigger::rt::Rng;

use super::bench::{Bench, LANE, Open, body, mail, open, request};

pub(crate) async fn of_one_key_only_the_first_is_claimed(with: Open<'_>) {
    let bench = open(with).await;
    add(&bench, "1", "a").await;
    // A priority doesn't change the order within a key.
    bench.enqueue(mail("2").order_key("a").priority(Priority::High)).await;
    add(&bench, "3", "b").await;
    bench.enqueue_in("crm", mail("other lane").order_key("a")).await;
    let claimed = bench.claim(10).await;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["1", "3"]);
    assert!(bench.claim(10).await.is_empty());
    bench.claim_one("crm").await;
    bench.deliver(&claimed[0]).await;
    assert_eq!(bench.claim_bodies(10).await, ["2"]);
}

pub(crate) async fn a_head_that_waits_for_its_retry_holds_its_key(with: Open<'_>) {
    let bench = open(with).await;
    add(&bench, "1", "a").await;
    add(&bench, "2", "a").await;
    let first = bench.claim_one(LANE).await;
    bench.fail(&first, 30).await;
    assert!(bench.claim(10).await.is_empty());
    bench.advance_secs(30).await;
    assert_eq!(bench.claim_bodies(10).await, ["1"]);
}

pub(crate) async fn a_dead_head_holds_its_key_or_is_stepped_over(with: Open<'_>) {
    let bench = open(with).await;
    let first = add(&bench, "1", "a").await;
    add(&bench, "2", "a").await;
    kill(&bench).await;
    assert!(bench.claim(10).await.is_empty());
    let stepping = ClaimRequest { dead_head: DeadHead::SteppedOver, ..request(LANE, 10) };
    let second = bench.claim_as(stepping).await.messages.remove(0);
    assert_eq!(body(&second), "2");
    bench.fail(&second, 0).await;
    act(&bench, Selection::One(first), Action::Discard).await;
    assert_eq!(bench.claim_bodies(10).await, ["2"]);
}

pub(crate) async fn a_head_that_is_replayed_while_a_later_one_is_leased_waits_for_it(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let first = add(&bench, "1", "a").await;
    add(&bench, "2", "a").await;
    kill(&bench).await;
    let stepping = ClaimRequest { dead_head: DeadHead::SteppedOver, ..request(LANE, 10) };
    let second = bench.claim_as(stepping.clone()).await.messages.remove(0);
    act(&bench, Selection::One(first), Action::Replay(ExpiredKey::Refuse)).await;
    assert!(bench.claim_as(stepping).await.messages.is_empty());
    bench.deliver(&second).await;
    assert_eq!(bench.claim_bodies(10).await, ["1"]);
}

pub(crate) async fn many_replayed_messages_of_one_key_keep_their_order(with: Open<'_>) {
    let bench = open(with).await;
    let bodies = ["1", "2", "3", "4"];
    for body in bodies {
        add(&bench, body, "a").await;
    }
    let stepping = ClaimRequest { dead_head: DeadHead::SteppedOver, ..request(LANE, 10) };
    for _ in bodies {
        let claimed = bench.claim_as(stepping.clone()).await.messages.remove(0);
        bench.settle(&claimed, Outcome::Dead(DeadReason::Rejected)).await;
        bench.advance_secs(1).await;
    }
    act(&bench, Selection::All(Filter::dead()), Action::Replay(ExpiredKey::Refuse)).await;
    let mut delivered = Vec::new();
    for _ in bodies {
        let claimed = bench.claim_one(LANE).await;
        delivered.push(body(&claimed));
        bench.deliver(&claimed).await;
    }
    assert_eq!(delivered, bodies);
}

pub(crate) async fn an_edited_message_has_the_turn_of_the_one_that_it_replaces(with: Open<'_>) {
    let bench = open(with).await;
    let first = add(&bench, "1", "a").await;
    add(&bench, "2", "a").await;
    kill(&bench).await;
    let now = bench.now().await;
    let edited = mail("1 edited").order_key("a").build(LANE, now, &Rng::seeded(99)).unwrap();
    bench.store.edit(first, edited, "ada".into(), "typo".into()).await.unwrap();
    let edited = bench.claim_one(LANE).await;
    assert_eq!(body(&edited), "1 edited");
    bench.deliver(&edited).await;
    assert_eq!(bench.claim_bodies(10).await, ["2"]);
}

async fn add(bench: &Bench, body: &'static str, key: &str) -> MessageId {
    bench.enqueue(mail(body).order_key(key)).await
}

/// The only message that is due is rejected.
async fn kill(bench: &Bench) {
    let claimed = bench.claim_one(LANE).await;
    bench.settle(&claimed, Outcome::Dead(DeadReason::Rejected)).await;
}

async fn act(bench: &Bench, on: Selection, action: Action) {
    let acted = bench.store.act(on, action, "ada".into(), "fixed".into()).await.unwrap();
    assert!(!acted.changed.is_empty() && acted.refused.is_empty(), "{acted:?}");
}

pub(crate) async fn a_backlog_of_few_keys_hides_no_other_key_and_no_message_without_one(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let now = bench.now().await;
    let rng = Rng::seeded(5);
    let new = |body: &'static str, key: Option<&str>| {
        let message = key.into_iter().fold(mail(body), Message::order_key);
        message.build(LANE, now, &rng).unwrap()
    };
    let mut backlog: Vec<_> = (0..700).map(|_| new("a", Some("a"))).collect();
    backlog.extend([new("b", Some("b")), new("b 2", Some("b")), new("none", None)]);
    bench.store.enqueue(backlog).await.unwrap();
    let claimed = bench.claim(10).await;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["a", "b", "none"]);
    assert!(bench.claim(10).await.is_empty());
    // The heads wait for their retries, and then go first again.
    bench.fail(&claimed[0], 30).await;
    bench.deliver(&claimed[1]).await;
    assert_eq!(bench.claim_bodies(10).await, ["b 2"]);
    bench.advance_secs(30).await;
    let again = bench.claim_one(LANE).await;
    assert_eq!(again.content.id, claimed[0].content.id);
    bench.settle(&again, Outcome::Dead(DeadReason::Rejected)).await;
    assert!(bench.claim(10).await.is_empty(), "a dead head holds its key");
}
