//! How the server does each of the store's statements, told by its module `auto_explain`, on tables without
//! statistics: those of a host whose `autovacuum` has not come by yet.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::tokio_postgres::{AsyncMessage, Config, Error, NoTls};
use outrigger::outbox::{
    Action, ClaimRequest, DeadReason, Effect, ExpiredKey, Filter, Outcome, Page, Pause, PausedBy,
    Selection, Store, Timestamp,
};

use super::Schema;
use super::together::{delivered, new};
use crate::suite::bench::{LANE, body, lease, mail, request};

#[tokio::test]
async fn every_statement_uses_an_index_without_statistics() {
    let Some(schema) = Schema::new().await else { return };
    // What is done outweighs what is open by far.
    schema.run(FILL).await;
    let plans = Arc::new(Mutex::new(Vec::new()));
    let store = explained(&schema, Arc::clone(&plans));
    let now = store.now().await.unwrap();
    for nth in 0..12 {
        let ordered = mail("1").order_key(format!("key {nth}"));
        let twice = new(mail("1").idempotency_key(format!("twice-{nth}")).dedup_key("once"));
        store.enqueue(vec![new(ordered), twice.clone(), twice]).await.unwrap();
    }
    let claimed = store.claim(request(LANE, 6)).await.unwrap().messages;
    assert!(!claimed.is_empty());
    let leases: Vec<_> = claimed.iter().map(lease).collect();
    store.extend(leases, std::time::Duration::from_secs(60)).await.unwrap();
    let mut dead = delivered(&claimed[0]);
    dead.outcome = Outcome::Dead(DeadReason::Rejected);
    let mut settlements = vec![dead];
    settlements.extend(claimed[1..].iter().map(delivered));
    store.settle(settlements).await.unwrap();
    assert!(store.reap(10).await.unwrap().changed.len() > 2);
    let (ada, why) = (|| "ada".to_owned(), || "why".to_owned());
    let batch = new(mail("1")).content.id;
    for _ in 0..2 {
        let of_batch = ClaimRequest { batch: Some(batch), ..request(LANE, 3) };
        for message in store.claim(of_batch).await.unwrap().messages {
            assert!(store.keep_request(lease(&message), bytes::Bytes::new()).await.unwrap());
            let effect = Effect::Unknown;
            let mut failed = delivered(&message);
            failed.outcome = Outcome::Retry { at: Timestamp(now.0 - 1), effect };
            store.settle(vec![failed]).await.unwrap();
        }
    }
    let until = Timestamp(now.0 + 1);
    let by = PausedBy::Person(ada());
    store.pause(Pause { lane: "crm".into(), until, by, why: why() }).await.unwrap();
    store.resume("crm".into(), ada(), why()).await.unwrap();
    store.stats(LANE.into()).await.unwrap();
    let id = claimed[0].content.id;
    store.get(id).await.unwrap();
    for filter in [
        Filter::all(),
        Filter::all().lane(LANE),
        Filter::dead(),
        Filter::dead().lane(LANE),
        Filter::all().named("key 7"),
    ] {
        assert!(!store.browse(filter, Page::after(3, 10)).await.unwrap().is_empty());
    }
    store.edit(id, new(mail("2")), ada(), why()).await.unwrap();
    store.act(Selection::One(id), Action::Erase, ada(), why()).await.unwrap();
    let replay = Action::Replay(ExpiredKey::Force);
    let acted = store.act(Selection::All(Filter::dead().lane(LANE)), replay, ada(), why()).await;
    assert!(acted.unwrap().changed.len() > 2);
    assert_eq!(store.prune(now, 10).await.unwrap(), 10);

    let plans = plans.lock().unwrap();
    assert!(plans.len() > 40, "the server tells its plans: {}", plans.len());
    for plan in plans.iter() {
        assert!(!plan.contains("Seq Scan on message"), "{plan}");
        assert!(!plan.contains("Seq Scan on attempt"), "{plan}");
    }
    for index in [
        "due ",
        "due_ordered",
        "lease",
        "deadline",
        "dead",
        "done",
        "order_open",
        "order_leased",
        "by_dedup_key",
        "by_order_key",
        "by_correlation_id",
        "window",
        "of_lane",
    ] {
        let name = format!("message_{index}");
        assert!(plans.iter().any(|plan| plan.contains(&name)), "{name} is used");
    }
}

/// A store whose server tells each plan, also those of statements in functions.
fn explained(schema: &Schema, plans: Arc<Mutex<Vec<String>>>) -> PostgresStore {
    let config: Config = schema.server.connection_string().parse().unwrap();
    let store = PostgresStore::connect_by(move || {
        let (mut config, plans) = (config.clone(), Arc::clone(&plans));
        config.options(
            "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 \
            -c auto_explain.log_nested_statements=on -c auto_explain.log_analyze=on -c client_min_messages=log",
        );
        async move {
            let (client, mut connection) = config.connect(NoTls).await?;
            let drive = async move {
                while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                    match message {
                        Ok(AsyncMessage::Notice(told)) if told.message().contains("plan:") => {
                            plans.lock().unwrap().push(told.message().to_owned());
                        }
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            };
            Ok::<_, Error>((client, drive))
        }
    });
    store.schema(&schema.name)
}

#[tokio::test]
async fn a_backlog_of_one_tenant_is_not_read_by_each_claim() {
    let Some(schema) = Schema::new().await else { return };
    schema.run(&FILL.replace("'key '", "'old '")).await;
    schema.run(FILL_BEHIND_DEAD).await;
    schema
        .run(
            "UPDATE outrigger.message SET tenant = 'noisy', order_key = NULL WHERE order_key = 'a'",
        )
        .await;
    let plans = Arc::new(Mutex::new(Vec::new()));
    let store = explained(&schema, Arc::clone(&plans));
    for nth in 0..9 {
        let tenant = format!("tenant {nth}");
        store.enqueue(vec![new(mail("1").tenant(tenant))]).await.unwrap();
    }
    let limited = || ClaimRequest { tenant_limit: Some(1), ..request(LANE, 40) };
    let claimed = store.claim(limited()).await.unwrap().messages;
    let tenants: std::collections::BTreeSet<_> =
        claimed.iter().filter_map(|it| it.content.tenant.clone()).collect();
    assert_eq!(tenants.len(), 10);
    store.claim(limited()).await.unwrap();
    let plans = plans.lock().unwrap();
    for index in ["due_tenant", "leased_tenant", "due ", "due_ordered"] {
        let name = format!("message_{index}");
        assert!(plans.iter().any(|plan| plan.contains(&name)), "{name} is used: {plans:#?}");
    }
    for plan in plans.iter() {
        assert!(!plan.contains("Seq Scan on message"), "{plan}");
    }
    // 500, and what has order keys or other tenants.
    let most = most_rows(&plans.join("\n"));
    assert!(most.is_some_and(|most| most <= 600), "{most:?} in {plans:#?}");
}

#[tokio::test]
async fn a_claim_reads_of_each_tenant_no_more_than_it_may_take() {
    let Some(schema) = Schema::new().await else { return };
    let plans = Arc::new(Mutex::new(Vec::new()));
    let store = explained(&schema, Arc::clone(&plans));
    let limited = |most| ClaimRequest { tenant_limit: Some(10), ..request(LANE, most) };
    let noisy = (0..510).map(|_| new(mail("1").tenant("noisy"))).collect();
    store.enqueue(noisy).await.unwrap();
    assert_eq!(store.claim(limited(20)).await.unwrap().messages.len(), 10);
    // They come due after the others of the noisy one.
    for _ in 0..20 {
        let each = (0..100).map(|nth| new(mail("2").tenant(format!("tenant {nth}"))));
        store.enqueue(each.collect()).await.unwrap();
    }
    plans.lock().unwrap().clear();
    let claimed = store.claim(limited(1)).await.unwrap().messages;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["2"]);
    let plans = plans.lock().unwrap().join("\n");
    let most = most_rows(&plans);
    assert!(most.is_some_and(|most| most <= 500), "{most:?} in {plans}");
    // Fewer under way goes first, and the tenant's oldest.
    let again = store.claim(limited(100)).await.unwrap().messages;
    let tenants: std::collections::BTreeSet<_> =
        again.iter().chain(&claimed).map(|it| it.content.tenant.clone()).collect();
    assert_eq!((again.len(), tenants.len()), (100, 100));
}

#[tokio::test]
async fn a_backlog_behind_a_dead_message_is_not_read_by_each_claim() {
    let Some(schema) = Schema::new().await else { return };
    schema.run(FILL_BEHIND_DEAD).await;
    let plans = Arc::new(Mutex::new(Vec::new()));
    let store = explained(&schema, Arc::clone(&plans));
    store.enqueue(vec![new(mail("free")), new(mail("other").order_key("b"))]).await.unwrap();
    let claimed = store.claim(request(LANE, 9)).await.unwrap().messages;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["free", "other"]);
    let plans = plans.lock().unwrap().join("\n");
    let most = most_rows(&plans);
    assert!(most.is_some_and(|most| most <= 501), "{most:?} in {plans}");
}

#[tokio::test]
async fn a_page_of_a_lane_reads_no_more_than_it_shows() {
    let Some(schema) = Schema::new().await else { return };
    schema.run(FILL_DEAD).await;
    let plans = Arc::new(Mutex::new(Vec::new()));
    let store = explained(&schema, Arc::clone(&plans));
    let rare = Filter::dead().reason(DeadReason::Expired);
    for (filter, found) in [
        (Filter::all().lane(LANE), 50),
        (Filter::dead().lane(LANE), 50),
        (rare.lane(LANE), 1),
        (Filter::all().lane("crm"), 1),
        (Filter::all().named("order 7"), 1),
    ] {
        assert_eq!(store.browse(filter, Page::first(50)).await.unwrap().len(), found);
    }
    let read = plans.lock().unwrap().join("\n");
    let most = most_rows(&read);
    assert!(most.is_some_and(|most| most <= 50), "{most:?} in {read}");
    assert_eq!(store.stats(LANE.into()).await.unwrap().dead_in_all(), 2_999);
    let plans = plans.lock().unwrap().join("\n");
    assert!(plans.contains("Index Only Scan using message_dead_of_lane"), "{plans}");
}

/// Each scan tells how many rows it gave and how many it read in vain.
fn most_rows(plans: &str) -> Option<u64> {
    let given = plans.split("actual time=").skip(1).filter_map(|text| text.split("rows=").nth(1));
    let rows = given.chain(plans.split("Removed by Filter: ").skip(1));
    let digits = |text: &str| -> Result<u64, _> {
        text.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse()
    };
    rows.filter_map(|text| digits(text).ok()).max()
}

const FILL_DEAD: &str = "
INSERT INTO outrigger.message (
    id, lane, idempotency_key, dedup_key, method, uri, headers, body, fingerprint, priority,
    keep_answer, created, max_attempts, not_before, max_age, deadline, state, settled, dead_reason
)
SELECT gen_random_uuid(), CASE n WHEN 2500 THEN 'crm' ELSE 'mailer' END, 'key ' || n, 'order ' || n, 'POST', '/', '', '', '', 1, 0, 1, 9, 1, 1, 1,
    'dead', 1, CASE n WHEN 2000 THEN 'expired' ELSE 'rejected' END
FROM generate_series(1, 3000) AS n";

const FILL_BEHIND_DEAD: &str = "
INSERT INTO outrigger.message (
    id, lane, idempotency_key, order_key, method, uri, headers, body, fingerprint, priority,
    keep_answer, created, max_attempts, not_before, max_age, deadline, state, settled, dead_reason
)
SELECT gen_random_uuid(), 'mailer', 'key ' || n, 'a', 'POST', '/', '', '', '', 1, 0, 1, 9, 1, 1,
    99999999999999, CASE n WHEN 1 THEN 'dead' ELSE 'ready' END, CASE n WHEN 1 THEN 1 END,
    CASE n WHEN 1 THEN 'rejected' END
FROM generate_series(1, 3000) AS n";

const FILL: &str = "
INSERT INTO outrigger.message (
    id, lane, idempotency_key, order_key, method, uri, headers, body, fingerprint, priority,
    keep_answer, created, max_attempts, not_before, max_age, deadline, state, settled, dead_reason,
    lease_until, lease_owner, token
)
SELECT gen_random_uuid(), 'mailer', 'key ' || n, CASE WHEN n % 3 = 0 THEN 'key ' || n END, 'POST',
    '/', '', repeat('x', 300)::bytea, '', 1, 0, 1, 9, 1, 1, deadline, state,
    CASE WHEN state IN ('delivered', 'dead') THEN 1 END,
    CASE WHEN state = 'dead' THEN 'rejected' END, CASE WHEN state = 'leased' THEN 1 END,
    CASE WHEN state = 'leased' THEN 'gone' END, 1
FROM (
    SELECT n, CASE n % 200 WHEN 0 THEN 'ready' WHEN 1 THEN 'leased' WHEN 2 THEN 'dead'
        ELSE 'delivered' END AS state,
        CASE WHEN n % 400 = 0 THEN 1 ELSE 99999999999999 END AS deadline
    FROM generate_series(1, 6000) AS n
) AS made;
INSERT INTO outrigger.attempt (message, number, owner, started, ended, outcome)
SELECT id, 1, 'gone', 1, 1, 'delivered' FROM outrigger.message";
