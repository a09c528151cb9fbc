//! Messages that are sent together.

use std::time::Duration;

use bytes::Bytes;
use outrigger::outbox::{
    Action, ClaimRequest, DeadReason, Effect, ExpiredKey, MessageId, Outcome, Priority, State,
    StoredMessage,
};
use outrigger::rt::Rng;

use super::bench::{Bench, LANE, Open, body, lease, mail, open, request};

pub(crate) async fn a_batch_is_claimed_again_whole_with_its_key_and_its_request(with: Open<'_>) {
    let bench = open(with).await;
    for text in ["1", "2", "3"] {
        bench.add(text).await;
    }
    let first = claim(&bench, 2, 10).await;
    assert_eq!(bodies(&first), ["1", "2", "3"]);
    let batch = first[0].progress.batch_id.unwrap();
    assert_eq!(batch, id(2));
    assert!(
        first.iter().all(|it| it.progress.batch_id == Some(batch) && it.progress.batch_size == 3)
    );
    let bytes = Bytes::from_static(b"POST / \xff");
    assert!(bench.store.keep_request(lease(&first[0]), bytes.clone()).await.unwrap());
    let mut stale = lease(&first[0]);
    stale.token += 1;
    assert!(!bench.store.keep_request(stale, Bytes::new()).await.unwrap());
    let at = bench.after(5).await;
    for message in &first {
        bench.settle(message, Outcome::Retry { at, effect: Effect::Unknown }).await;
    }
    // What came meanwhile is not of it, and waits for a batch of its own.
    bench.add("4").await;
    bench.advance_secs(5).await;
    let mut batches = [claim(&bench, 3, 10).await, claim(&bench, 4, 10).await];
    batches.sort_by_key(Vec::len);
    let [other, again] = batches;
    assert_eq!((bodies(&other), other[0].progress.batch_size), (vec!["4".to_owned()], 1));
    assert_eq!(bodies(&again), ["1", "2", "3"]);
    assert!(again.iter().all(|message| message.progress.batch_id == Some(batch)));
    assert_eq!(again[0].batch_request, Some(bytes));
    let valid_until = first[0].progress.key_valid_until;
    assert!(again.iter().all(|message| message.progress.key_valid_until == valid_until));

    // The provider answers for each.
    bench.deliver(&again[0]).await;
    bench.settle(&again[1], Outcome::RetryApart { at: bench.now().await }).await;
    bench.settle(&again[2], Outcome::Dead(DeadReason::Rejected)).await;
    let stored = bench.get(again[0].content.id).await.message;
    assert_eq!((stored.batch_request, stored.progress.batch_id), (None, None));
    // What was refused has left it, so that a replay goes with others.
    let refused = bench.get(again[2].content.id).await.message;
    assert_eq!((refused.batch_request, refused.progress.batch_id), (None, None));
    let apart = claim(&bench, 5, 10).await;
    assert_eq!((bodies(&apart), apart[0].progress.batch_id), (vec!["2".to_owned()], Some(id(5))));
    assert_eq!(apart[0].progress.unknown, 0);
    assert_eq!(bench.get(apart[0].content.id).await.attempts.len(), 2);
    bench.act(again[2].content.id, Action::Replay(ExpiredKey::Refuse)).await;
    bench.add("5").await;
    let replayed = claim(&bench, 6, 10).await;
    assert_eq!((bodies(&replayed), replayed[0].progress.batch_size), (texts(&["3", "5"]), 2));
}

pub(crate) async fn a_batch_has_the_order_of_enqueueing_at_first_and_when_it_is_repeated(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let [low, high] = [Priority::Low, Priority::High].map(|priority| mail("").priority(priority));
    for message in [low.body("1"), high.body("2"), mail("3")] {
        bench.enqueue(message).await;
    }
    let first = claim(&bench, 2, 10).await;
    assert_eq!(bodies(&first), ["1", "2", "3"]);
    let at = bench.now().await;
    for message in &first {
        bench.settle(message, Outcome::Retry { at, effect: Effect::Unknown }).await;
    }
    assert_eq!(bodies(&claim(&bench, 3, 10).await), ["1", "2", "3"]);
}

pub(crate) async fn a_message_that_may_have_been_done_is_claimed_alone_and_of_no_batch(
    with: Open<'_>,
) {
    let bench = open(with).await;
    bench.add("1").await;
    let single = bench.claim_one(LANE).await;
    let at = bench.now().await;
    bench.settle(&single, Outcome::Retry { at, effect: Effect::Unknown }).await;
    // One whose time or attempts are over before the batch could be repeated.
    bench.enqueue(mail("2").max_attempts(1)).await;
    bench.enqueue(mail("3").deadline(Duration::from_secs(59))).await;
    for text in ["4", "5"] {
        bench.add(text).await;
    }
    let mut claimed = Vec::new();
    for nth in 2..6 {
        claimed.push(claim(&bench, nth, 10).await);
    }
    claimed.sort_by_key(|batch| batch[0].seq);
    let claimed: Vec<_> =
        claimed.iter().map(|batch| (bodies(batch), batch[0].progress.batch_size)).collect();
    let expected = [(&["1"][..], 0), (&["2"], 1), (&["3"], 1), (&["4", "5"], 2)];
    assert_eq!(claimed, expected.map(|(bodies, size)| (texts(bodies), size)));
}

pub(crate) async fn a_batch_of_which_one_is_erased_has_no_request_any_more(with: Open<'_>) {
    let bench = open(with).await;
    bench.add("1").await;
    bench.add("2").await;
    let first = claim(&bench, 2, 10).await;
    let kept = bench.store.keep_request(lease(&first[0]), Bytes::from_static(b"1 2")).await;
    assert!(kept.unwrap());
    let at = bench.now().await;
    for message in &first {
        bench.settle(message, Outcome::Retry { at, effect: Effect::Unknown }).await;
    }
    bench.act(first[1].content.id, Action::Cancel).await;
    assert!(bench.get(first[0].content.id).await.message.batch_request.is_some());
    bench.act(first[1].content.id, Action::Erase).await;
    assert_eq!(bench.get(first[0].content.id).await.message.batch_request, None);
}

pub(crate) async fn a_batch_waits_for_those_of_it_that_are_with_a_worker(with: Open<'_>) {
    let bench = open(with).await;
    bench.add("1").await;
    bench.add("2").await;
    let first = claim(&bench, 2, 10).await;
    let at = bench.now().await;
    bench.settle(&first[0], Outcome::Retry { at, effect: Effect::Unknown }).await;
    bench.add("3").await;
    assert_eq!(bodies(&claim(&bench, 3, 10).await), ["3"]);
    assert!(claim(&bench, 4, 10).await.is_empty());
    bench.advance_secs(60).await;
    bench.store.reap(10).await.unwrap();
    let mut batches = [claim(&bench, 5, 10).await, claim(&bench, 6, 10).await];
    batches.sort_by_key(|batch| batch[0].progress.batch_id);
    assert_eq!(batches.map(|batch| bodies(&batch)), [vec!["1", "2"], vec!["3"]]);
}

pub(crate) async fn a_batch_of_which_one_is_called_off_is_known_to_be_incomplete(with: Open<'_>) {
    let bench = open(with).await;
    let first = bench.add("1").await;
    bench.add("2").await;
    for message in claim(&bench, 2, 10).await {
        let at = bench.now().await;
        bench.settle(&message, Outcome::Retry { at, effect: Effect::Unknown }).await;
    }
    bench.act(first, Action::Cancel).await;
    let members = bench.store.members(id(2)).await.unwrap();
    assert_eq!(bodies(&members), ["1", "2"]);
    assert_eq!(members[0].progress.state, State::Cancelled);
    let left = claim(&bench, 3, 10).await;
    assert_eq!((bodies(&left), left[0].progress.batch_size), (vec!["2".to_owned()], 2));
    assert_eq!(left[0].progress.batch_id, Some(id(2)));
    bench.settle(&left[0], Outcome::Dead(DeadReason::UnknownOutcome)).await;
    // A person says that it was not done.
    bench.act(left[0].content.id, Action::Replay(ExpiredKey::Force)).await;
    let replayed = claim(&bench, 4, 10).await;
    bench.settle(&replayed[0], Outcome::RetryApart { at: bench.now().await }).await;
    let anew = claim(&bench, 5, 10).await;
    assert_eq!((anew[0].progress.batch_id, anew[0].progress.batch_size), (Some(id(5)), 1));
}

pub(crate) async fn a_batch_has_no_more_than_was_asked_for_and_one_of_each_order_key(
    with: Open<'_>,
) {
    let bench = open(with).await;
    for (text, key) in [("1", "a"), ("2", "a"), ("3", "b")] {
        bench.enqueue(mail(text).order_key(key)).await;
    }
    bench.add("4").await;
    let first = claim(&bench, 2, 2).await;
    assert_eq!(bodies(&first), ["1", "3"]);
    assert_eq!(bodies(&claim(&bench, 3, 2).await), ["4"]);
    bench.deliver(&first[0]).await;
    assert_eq!(bodies(&claim(&bench, 4, 2).await), ["2"]);
    // A lane without batches tells by the id that a message is of one.
    bench.fail(&first[1], 0).await;
    let single = bench.claim_one(LANE).await;
    assert_eq!((single.progress.batch_id, single.progress.state), (Some(id(2)), State::Leased));
}

pub(crate) async fn the_key_of_a_batch_ends_at_one_time_for_all_of_it(with: Open<'_>) {
    let bench = open(with).await;
    bench.add("1").await;
    let alone = bench.claim_one(LANE).await;
    bench.fail(&alone, 600).await;
    bench.advance_secs(600).await;
    bench.add("2").await;
    let claimed = claim(&bench, 3, 10).await;
    let ends: Vec<_> = claimed.iter().map(|it| it.progress.key_valid_until).collect();
    assert_eq!(ends, [Some(bench.after(3600).await); 2]);
}

async fn claim(bench: &Bench, batch: u64, most: usize) -> Vec<StoredMessage> {
    let claim = ClaimRequest { batch: Some(id(batch)), ..request(LANE, most) };
    bench.claim_as(claim).await.messages
}

/// The id of a batch, in the order of these numbers.
fn id(nth: u64) -> MessageId {
    let at = outrigger::outbox::Timestamp(i64::try_from(nth).unwrap());
    mail("").build(LANE, at, &Rng::seeded(nth)).unwrap().content.id
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn bodies(messages: &[StoredMessage]) -> Vec<String> {
    messages.iter().map(body).collect()
}
