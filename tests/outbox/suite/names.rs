use outrigger::context::{CorrelationId, Scope};
use outrigger::outbox::{Filter, Page};

use super::bench::{Open, mail, open};

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
