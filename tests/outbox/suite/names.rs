use outrigger::context::{CorrelationId, Scope};
use std::time::Duration;

use outrigger::outbox::{DeadReason, Filter, Outcome, Page, Report, Settlement, StoredMessage};

use super::bench::{LANE, Open, lease, mail, open};

pub(crate) async fn a_message_is_found_by_each_of_its_names_and_by_no_other(with: Open<'_>) {
    let bench = open(with).await;
    let named = |nth: u32| {
        let (order, key) = (format!("order {nth}"), format!("key-{nth}"));
        mail("1").dedup_key(format!("job {nth}")).order_key(order).idempotency_key(key)
    };
    let scope = Scope::new().correlation_id(CorrelationId::new("cause").unwrap());
    let caused = scope.run(async { named(1) }).await;
    let id = bench.enqueue(caused).await;
    bench.enqueue(named(2)).await;
    // One that has the first one's business key as its order key.
    let third = bench.enqueue(mail("1").order_key("job 1")).await;
    let find = async |filter: Filter, page: Page| -> Vec<_> {
        let found = bench.store.browse(filter, page).await.unwrap();
        found.into_iter().map(|it| it.content.id).collect()
    };
    let all = || Filter::all();
    for name in [&id.to_string(), "order 1", "key-1", "cause"] {
        assert_eq!(find(all().named(name), Page::first(9)).await, [id], "{name}");
    }
    assert_eq!(find(all().named("job 1"), Page::first(9)).await, [id, third]);
    assert_eq!(find(all().named("job 1"), Page::first(1)).await, [id]);
    assert_eq!(find(all().named("job 1"), Page::after(1, 9)).await, [third]);
    assert!(find(Filter::dead().named("job 1"), Page::first(9)).await.is_empty());
    assert!(find(all().lane("crm").named("job 1"), Page::first(9)).await.is_empty());
    for name in ["", "job", "job 1 ", "JOB 1", &id.to_string().to_uppercase()] {
        assert!(find(all().named(name), Page::first(9)).await.is_empty(), "{name}");
    }
}

pub(crate) async fn messages_are_found_and_counted_by_status_by_error_and_by_how_their_keys_begin(
    with: Open<'_>,
) {
    let bench = open(with).await;
    for (nth, status, class) in
        [(1, 422, "Client Error"), (2, 503, "server_error"), (10, 422, "client error")]
    {
        let message =
            mail("1").dedup_key(format!("order {nth}")).order_key(format!("{nth}% of_all"));
        let id = bench.enqueue(message).await;
        let claimed = bench.claim_one(LANE).await;
        assert_eq!(claimed.content.id, id);
        let now = bench.now().await;
        let report = Report {
            owner: "worker".to_owned(),
            started: now,
            ended: now,
            status: Some(status),
            class: Some(class.to_owned()),
            ..Report::default()
        };
        let outcome = Outcome::Dead(DeadReason::Rejected);
        let settlement =
            Settlement { lease: lease(&claimed), outcome, report, answer: None, unkept: None };
        bench.store.settle(vec![settlement]).await.unwrap();
        bench.advance(Duration::from_secs(1)).await;
    }
    bench.enqueue(mail("2")).await;
    for (filter, keys) in [
        (Filter::all(), &["order 1", "order 2", "order 10", "-"][..]),
        (Filter::all().lane(LANE), &["order 1", "order 2", "order 10", "-"]),
        (Filter::dead().lane(LANE), &["order 1", "order 2", "order 10"]),
        (Filter::all().status(422), &["order 1", "order 10"]),
        (Filter::dead().lane(LANE).status(503), &["order 2"]),
        (Filter::dead().lane("crm").status(503), &[]),
        (Filter::all().status(200), &[]),
        (Filter::dead().error("CLIENT"), &["order 1", "order 10"]),
        (Filter::dead().error("r_e"), &["order 2"]),
        (Filter::dead().error("%"), &[]),
        (Filter::dead().key_prefix("order 1"), &["order 1", "order 10"]),
        (Filter::all().key_prefix("10%"), &["order 10"]),
        (Filter::all().key_prefix("1%"), &["order 1"]),
        (Filter::all().key_prefix("rder"), &[]),
        (Filter::all().key_prefix("Order"), &[]),
        (Filter::all().named("order 2").status(503), &["order 2"]),
        (Filter::all().named("order 2").status(422), &[]),
    ] {
        let found = bench.store.browse(filter.clone(), Page::first(9)).await.unwrap();
        let of =
            |it: &StoredMessage| it.content.dedup_key.clone().unwrap_or_else(|| "-".to_owned());
        assert_eq!(found.iter().map(of).collect::<Vec<_>>(), keys, "{filter:?}");
        assert_eq!(
            bench.store.count(filter.clone()).await.unwrap(),
            keys.len() as u64,
            "{filter:?}"
        );
        assert!(found.iter().all(|message| filter.named.is_some() || filter.finds(message)));
    }
}
