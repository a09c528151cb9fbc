use outrigger::outbox::{
    Acted, Action, DeadReason, Effect, ExpiredKey, Filter, MessageId, OutboxErrorKind, Outcome,
    Page, Phase, Priority, Refusal, Selection, State, Timestamp,
};
use outrigger::rt::Rng;

use super::bench::{Bench, LANE, Open, answer, body, lease, mail, open};

pub(crate) async fn dead_letters_are_found_by_lane_reason_and_page(with: Open<'_>) {
    let bench = open(with).await;
    for (lane, text) in [(LANE, "1"), ("crm", "2"), (LANE, "3"), (LANE, "4"), (LANE, "5")] {
        bench.enqueue_in(lane, mail(text).order_key(text)).await;
    }
    let reasons = [DeadReason::Rejected, DeadReason::Rejected, DeadReason::UnknownOutcome];
    for (claimed, reason) in bench.claim(3).await.iter().zip(reasons) {
        bench.settle(claimed, Outcome::Dead(reason)).await;
    }
    let crm = bench.claim_one("crm").await;
    bench.settle(&crm, Outcome::Dead(DeadReason::Rejected)).await;

    let find = async |filter: Filter, page| {
        let found = bench.store.browse(filter, page).await.unwrap();
        let last = found.last().map(|message| message.seq);
        (found.iter().map(body).collect::<Vec<_>>(), last)
    };
    let all = Page::first(10);
    assert_eq!(find(Filter::all(), all).await.0, ["1", "2", "3", "4", "5"]);
    assert_eq!(find(Filter::dead(), all).await.0, ["1", "2", "3", "4"]);
    let mine = Filter::dead().lane(LANE);
    assert_eq!(find(mine.clone().reason(DeadReason::Rejected), all).await.0, ["1", "3"]);
    assert_eq!(find(Filter::all().state(State::Ready), all).await.0, ["5"]);
    assert_eq!(find(Filter::all().order_key("3"), all).await.0, ["3"]);
    let (first, last) = find(mine.clone(), Page::first(2)).await;
    assert_eq!(first, ["1", "3"]);
    assert_eq!(find(mine, Page::after(last.unwrap(), 2)).await.0, ["4"]);
    let now = bench.now().await;
    assert!(find(Filter::all().created(Timestamp(0), now), all).await.0.is_empty());
    let later = bench.after(1).await;
    assert_eq!(find(Filter::all().created(now, later), all).await.0.len(), 5);
}

pub(crate) async fn a_double_click_replays_once(with: Open<'_>) {
    let bench = open(with).await;
    let mut ids = [dead(&bench, "1").await, dead(&bench, "2").await];
    ids.sort();
    let replay = || act(&bench, Selection::All(Filter::dead()), REPLAY);
    let (one, other) = tokio::join!(replay(), replay());
    let mut changed = [one.changed, other.changed].concat();
    changed.sort();
    assert_eq!(changed, ids);
    let acts = bench.get(ids[0]).await.acts;
    assert_eq!(acts.len(), 1);
    assert_eq!((acts[0].action.as_str(), acts[0].who.as_str()), ("replay", "ada"));
    assert_eq!((acts[0].why.as_str(), acts[0].at), ("fixed", bench.now().await));
    assert_eq!(bench.get(ids[0]).await.message.progress.replays, 1);
}

pub(crate) async fn a_replay_starts_anew_with_the_same_key(with: Open<'_>) {
    let bench = open(with).await;
    let message = mail("1").order_key("a").priority(Priority::Low);
    let id = bench.enqueue(message.deadline(std::time::Duration::from_secs(500))).await;
    let before = bench.claim_one(LANE).await;
    let at = bench.after(1).await;
    bench.settle(&before, Outcome::Retry { at, effect: Effect::Unknown }).await;
    bench.advance_secs(400).await;
    let claimed = bench.claim_one(LANE).await;
    bench.settle(&claimed, Outcome::Dead(DeadReason::UnknownOutcome)).await;
    assert_eq!(act(&bench, Selection::One(id), REPLAY).await.changed, [id]);
    let after = bench.claim_one(LANE).await;
    assert_eq!(after.content.idempotency_key, before.content.idempotency_key);
    assert_eq!(after.content.body, before.content.body);
    assert_eq!(after.content.order_key, before.content.order_key);
    assert_eq!(after.content.priority, Priority::Low);
    let progress = after.progress;
    assert_eq!((progress.attempt, progress.unknown, progress.token), (1, 0, 3));
    assert_eq!(progress.deadline, bench.after(500).await);
    assert_eq!((progress.dead_reason, progress.settled), (None, None));
}

pub(crate) async fn a_key_that_the_provider_has_forgotten_is_replayed_only_by_force(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let id = dead(&bench, "1").await;
    bench.advance_secs(3600).await;
    let acted = act(&bench, Selection::One(id), REPLAY).await;
    assert_eq!(acted, Acted { changed: vec![], refused: vec![(id, Refusal::KeyExpired)] });
    assert_eq!(bench.state(id).await, "rejected");
    let forced = act(&bench, Selection::One(id), Action::Replay(ExpiredKey::Force)).await;
    assert_eq!(forced.changed, [id]);
    let claimed = bench.claim_one(LANE).await;
    assert_eq!(claimed.progress.key_valid_until, Some(bench.after(3600).await));
}

pub(crate) async fn a_replay_keeps_what_is_known_of_its_key(with: Open<'_>) {
    let bench = open(with).await;
    // Made by the outbox, or by the host: the provider knows it for 1 h, or for 2 h.
    for (message, lifetime) in [(mail("1"), 3600), (mail("2").idempotency_key("own"), 7200)] {
        let id = bench.enqueue(message).await;
        let claimed = bench.claim_one(LANE).await;
        let valid_until = Some(bench.after(lifetime).await);
        assert_eq!(claimed.progress.key_valid_until, valid_until);
        let at = bench.now().await;
        bench.settle(&claimed, Outcome::Retry { at, effect: Effect::Unknown }).await;
        let claimed = bench.claim_one(LANE).await;
        bench.settle(&claimed, Outcome::Dead(DeadReason::UnknownOutcome)).await;
        bench.advance_secs(100).await;
        assert_eq!(act(&bench, Selection::One(id), REPLAY).await.changed, [id]);
        let claimed = bench.claim_one(LANE).await;
        assert!(!claimed.progress.asks_policy(bench.now().await));
        let until = bench.after(lifetime).await;
        bench.settle(&claimed, Outcome::Snooze { until }).await;
        bench.advance_secs(lifetime).await;
        let claimed = bench.claim_one(LANE).await;
        assert_eq!(claimed.progress.key_valid_until, valid_until);
        assert!(claimed.progress.asks_policy(bench.now().await));
        bench.settle(&claimed, Outcome::Dead(DeadReason::UnknownOutcome)).await;
        let refused = act(&bench, Selection::One(id), REPLAY).await.refused;
        assert_eq!(refused, [(id, Refusal::KeyExpired)]);
        act(&bench, Selection::One(id), Action::Replay(ExpiredKey::Force)).await;
        let claimed = bench.claim_one(LANE).await;
        assert!(!claimed.progress.asks_policy(bench.after(lifetime).await));
        bench.deliver(&claimed).await;
    }
}

pub(crate) async fn a_replay_sends_a_failed_job_again_and_asks_for_one_that_may_go_on(
    with: Open<'_>,
) {
    let bench = open(with).await;
    for (why, phase) in [(DeadReason::Rejected, Phase::Send), (DeadReason::Expired, Phase::Poll)] {
        let id = bench.add("1").await;
        for _ in 0..2 {
            let claimed = bench.claim_one(LANE).await;
            let (at, uri) = (bench.now().await, "https://api.mailer.example/jobs/1".to_owned());
            bench.settle(&claimed, Outcome::Accepted { at, uri }).await;
        }
        let claimed = bench.claim_one(LANE).await;
        bench.settle(&claimed, Outcome::Dead(why)).await;
        assert_eq!(act(&bench, Selection::One(id), REPLAY).await.changed, [id]);
        let progress = bench.claim_one(LANE).await.progress;
        assert_eq!(progress.phase, phase);
        assert_eq!(progress.poll_uri.is_some(), phase == Phase::Poll);
        assert!(!progress.asks_policy(bench.now().await));
    }
}

pub(crate) async fn an_edited_message_is_a_new_one_with_a_new_key(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.enqueue(mail("1").dedup_key("welcome").dedup_window(WEEK)).await;
    let old = bench.claim_one(LANE).await;
    bench.settle(&old, Outcome::Dead(DeadReason::Rejected)).await;
    let rng = Rng::seeded(99);
    let now = bench.now().await;
    let edit = async |message: outrigger::outbox::Message| {
        let new = message.build(LANE, now, &rng).unwrap();
        let new_id = new.content.id;
        let edited = bench.store.edit(id, new, "ada".into(), "typo".into()).await;
        edited.map(|()| new_id).map_err(|error| error.kind())
    };
    let used = mail("2").idempotency_key(old.content.idempotency_key.clone());
    assert_eq!(edit(used).await, Err(OutboxErrorKind::Message));
    bench.enqueue(mail("other").dedup_key("other").not_before(WEEK)).await;
    assert_eq!(edit(mail("2").dedup_key("other")).await, Err(OutboxErrorKind::Message));
    let new = edit(mail("2").dedup_key("welcome")).await.unwrap();
    assert_eq!(edit(mail("3")).await, Err(OutboxErrorKind::Refused));

    let stored = bench.get(id).await;
    assert_eq!(stored.message.progress.replaced_by, Some(new));
    assert_eq!(bench.get(new).await.message.progress.dedup_window, WEEK);
    assert_eq!(stored.acts[0].action, "edit");
    let refused = act(&bench, Selection::One(id), REPLAY).await.refused;
    assert_eq!(refused, [(id, Refusal::Replaced)]);
    let claimed = bench.claim_one(LANE).await;
    assert_eq!((claimed.content.id, body(&claimed)), (new, "2".to_owned()));
    assert_ne!(claimed.content.idempotency_key, old.content.idempotency_key);
    assert_eq!(bench.store.stats(LANE.into()).await.unwrap().dead_in_all(), 0);
}

pub(crate) async fn only_waiting_messages_are_cancelled_and_only_dead_ones_discarded(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let dead = dead(&bench, "1").await;
    let waits = bench.add("2").await;
    let on = Selection::One;
    assert_eq!(act(&bench, on(dead), Action::Cancel).await.refused, [(dead, Refusal::NotReady)]);
    assert_eq!(act(&bench, on(waits), Action::Discard).await.refused, [(waits, Refusal::NotDead)]);
    assert_eq!(act(&bench, on(waits), REPLAY).await.refused, [(waits, Refusal::NotDead)]);
    assert_eq!(act(&bench, on(waits), Action::Cancel).await.changed, [waits]);
    assert_eq!(act(&bench, on(dead), Action::Discard).await.changed, [dead]);
    assert_eq!(bench.state(waits).await, "cancelled");
    assert_eq!(bench.get(dead).await.message.progress.state, State::Discarded);
    assert!(bench.claim(10).await.is_empty());
}

pub(crate) async fn an_erased_message_keeps_its_history_and_is_not_replayed(with: Open<'_>) {
    let bench = open(with).await;
    let open = bench.add("waits").await;
    let refused = act(&bench, Selection::One(open), Action::Erase).await.refused;
    assert_eq!(refused, [(open, Refusal::Open)]);
    act(&bench, Selection::One(open), Action::Cancel).await;

    let id = bench.enqueue(mail("secret").header("x-who", "ada").keep_answer(9)).await;
    let claimed = bench.claim_one(LANE).await;
    let (at, uri) = (bench.now().await, "https://api.mailer.example/jobs/ada".to_owned());
    bench.settle(&claimed, Outcome::Accepted { at, uri }).await;
    let claimed = bench.claim_one(LANE).await;
    let outcome = Outcome::Dead(DeadReason::Rejected);
    bench.settle_with(lease(&claimed), outcome, Some(answer(422, "no ada"))).await;
    assert!(bench.get(id).await.message.answer.is_some());
    assert_eq!(act(&bench, Selection::One(id), Action::Erase).await.changed, [id]);
    let history = bench.get(id).await;
    let content = history.message.content;
    assert!(content.body.is_empty() && content.headers.is_empty());
    assert_eq!((content.uri, history.message.progress.poll_uri), (http::Uri::default(), None));
    assert_eq!(history.message.answer, None);
    assert_eq!(content.fingerprint, claimed.content.fingerprint);
    assert_eq!(history.attempts.len(), 2);
    let refused = act(&bench, Selection::One(id), REPLAY).await.refused;
    assert_eq!(refused, [(id, Refusal::Erased)]);
}

pub(crate) async fn old_messages_are_pruned_and_dead_ones_are_not(with: Open<'_>) {
    let bench = open(with).await;
    let dead = dead(&bench, "1").await;
    let waits = bench.enqueue(mail("2").not_before(std::time::Duration::from_secs(50))).await;
    let mut done = Vec::new();
    for _ in 0..3 {
        done.push(bench.add("3").await);
        let claimed = bench.claim_one(LANE).await;
        bench.deliver(&claimed).await;
    }
    bench.advance_secs(10).await;
    let now = bench.now().await;
    assert_eq!(bench.store.prune(now, 2).await.unwrap(), 2);
    assert_eq!(bench.store.prune(now, 2).await.unwrap(), 1);
    assert_eq!(bench.store.prune(now, 2).await.unwrap(), 0);
    for id in done {
        assert!(bench.store.get(id).await.unwrap().is_none());
    }
    assert_eq!(bench.state(dead).await, "rejected");
    assert_eq!(bench.state(waits).await, "ready");
}

pub(crate) async fn a_lane_is_counted_as_it_is(with: Open<'_>) {
    let bench = open(with).await;
    let (created, id) = (bench.now().await, dead(&bench, "1").await);
    bench.advance_secs(1).await;
    bench.add("2").await;
    let claimed = bench.claim_one(LANE).await;
    let at = bench.after(100).await;
    bench.settle(&claimed, Outcome::Retry { at, effect: Effect::Unknown }).await;
    bench.advance_secs(1).await;
    bench.add("3").await;
    bench.claim_one(LANE).await;
    bench.add("4").await;
    bench.enqueue_in("crm", mail("5")).await;
    let stats = bench.store.stats(LANE.into()).await.unwrap();
    assert_eq!((stats.ready, stats.due, stats.leased), (2, 1, 1));
    assert_eq!((stats.polling, stats.unknown), (0, 1));
    assert_eq!(stats.dead.into_iter().collect::<Vec<_>>(), [(DeadReason::Rejected, 1)]);
    assert_eq!(stats.oldest_undelivered, Some(created.plus(std::time::Duration::from_secs(1))));
    assert_eq!(stats.oldest_dead, Some(created));
    act(&bench, Selection::One(id), Action::Discard).await;
    assert_eq!(bench.store.stats(LANE.into()).await.unwrap().oldest_dead, None);
    assert_eq!(bench.store.stats("nobody".into()).await.unwrap().ready, 0);
}

/// A message that was rejected.
async fn dead(bench: &Bench, body: &'static str) -> MessageId {
    let id = bench.add(body).await;
    let claimed = bench.claim_one(LANE).await;
    bench.settle(&claimed, Outcome::Dead(DeadReason::Rejected)).await;
    id
}

async fn act(bench: &Bench, on: Selection, action: Action) -> Acted {
    bench.store.act(on, action, "ada".into(), "fixed".into()).await.unwrap()
}

const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);
const REPLAY: Action = Action::Replay(ExpiredKey::Refuse);

pub(crate) async fn a_message_is_found_as_it_stands(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.enqueue(mail("1").keep_answer(9)).await;
    let claimed = bench.claim_one(LANE).await;
    let outcome = Outcome::Dead(DeadReason::Rejected);
    bench.settle_with(lease(&claimed), outcome, Some(answer(422, "no"))).await;
    let (found, whole) =
        (bench.store.find(id).await.unwrap().unwrap(), bench.get(id).await.message);
    assert_eq!((found.progress, found.answer), (whole.progress, whole.answer));
    assert_eq!((found.content.id, found.last_status), (id, Some(422)));
    let gone = mail("2").build(LANE, bench.now().await, &Rng::seeded(99)).unwrap().content.id;
    assert!(bench.store.find(gone).await.unwrap().is_none());
}
