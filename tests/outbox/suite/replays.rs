use std::collections::BTreeSet;

use outrigger::outbox::{
    Action, DeadReason, ExpiredKey, Filter, MessageId, Outcome, Page, Report, Selection,
    Settlement, State,
};
use outrigger::rt::Rng;

use super::bench::{Bench, LANE, Open, lease, mail, open, request};

pub(crate) async fn two_people_who_replay_a_thousand_dead_letters_send_each_again_once(
    with: Open<'_>,
) {
    let bench = open(with).await;
    let dead = thousand_dead(&bench).await;
    let replay = async |who: &str| {
        let (on, action) = (Selection::All(Filter::dead()), Action::Replay(ExpiredKey::Refuse));
        bench.store.act(on, action, who.into(), "fixed".into()).await.unwrap().changed
    };
    let (ada, bob) = tokio::join!(replay("ada"), replay("bob"));
    let changed: BTreeSet<MessageId> = ada.iter().chain(&bob).copied().collect();
    assert_eq!((ada.len() + bob.len(), changed), (1_000, dead));

    let rows = bench.store.browse(Filter::all(), Page::first(1_000)).await.unwrap();
    assert!(rows.iter().all(|row| row.progress.state == State::Ready && row.progress.replays == 1));
    for one in rows.iter().step_by(97) {
        let acts = bench.get(one.content.id).await.acts;
        assert_eq!(acts.len(), 1);
        let by = if ada.contains(&one.content.id) { "ada" } else { "bob" };
        assert_eq!((acts[0].who.as_str(), acts[0].action.as_str()), (by, "replay"));
    }
    // Each is claimed once more.
    assert_eq!(bench.claim_as(request(LANE, 2_000)).await.messages.len(), 1_000);
}

async fn thousand_dead(bench: &Bench) -> BTreeSet<MessageId> {
    let (now, rng) = (bench.now().await, Rng::seeded(11));
    // Some have an order key, which a replay has to look at.
    let message = |nth: u32| match nth % 10 {
        0 => mail("1").order_key(nth.to_string()),
        _ => mail("1"),
    };
    let new = (0..1_000).map(|nth| message(nth).build(LANE, now, &rng).unwrap()).collect();
    bench.store.enqueue(new).await.unwrap();
    let claimed = bench.claim_as(request(LANE, 2_000)).await.messages;
    let rejected = claimed.iter().map(|message| Settlement {
        lease: lease(message),
        outcome: Outcome::Dead(DeadReason::Rejected),
        report: Report::default(),
        answer: None,
        unkept: None,
    });
    bench.store.settle(rejected.collect()).await.unwrap();
    claimed.iter().map(|message| message.content.id).collect()
}
