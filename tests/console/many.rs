//! A lane with 50,000 dead messages: how long its pages take, and that they come as they should. What they read is
//! told by the plans of each store's own tests.

use std::time::{Duration, Instant};

use http::Request;
use outrigger::console::Console;
use outrigger::control::Registry;
use outrigger::outbox::{DeadReason, Filter, Message, Outbox, Page, State};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};
use tower::ServiceExt;

use super::bench::all;

/// The outbox's lanes, registered.
fn lanes() -> (Registry, [Integration; 2]) {
    let registry = Registry::new();
    let lanes = ["mailer", "crm"].map(|name| {
        let refuses = Script::new([Answer::status(422)]);
        Integration::background(name).service(refuses).register(&registry).build().unwrap()
    });
    (registry, lanes)
}

fn mail(lane: &str) -> Message {
    Message::post("http://mail.test/send").lane(lane).body("x".repeat(1_000))
}

/// A message that its provider refuses.
async fn dead(outbox: &Outbox, message: Message) {
    outbox.enqueue(message).await.unwrap();
    let work = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.run().await }
    });
    while !outbox
        .browse(Filter::all().state(State::Ready), Page::first(1))
        .await
        .unwrap()
        .is_empty()
        || !outbox
            .browse(Filter::all().state(State::Leased), Page::first(1))
            .await
            .unwrap()
            .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    work.abort();
}

/// Looks at the pages of 50,000 dead messages of one lane, and one of another.
async fn look(registry: &Registry, outbox: Outbox) {
    assert_eq!(outbox.stats("mailer").await.unwrap().dead[&DeadReason::Rejected], 50_000);
    let console = Console::builder(registry, all()).outbox(outbox).build().unwrap();
    for (query, messages) in [
        ("", 0),
        ("?lane=mailer", 50),
        ("?lane=mailer&state=dead", 50),
        ("?lane=mailer&state=dead&reason=expired", 0),
        ("?lane=mailer&state=delivered", 0),
        ("?lane=crm", 1),
        ("?lane=crm&state=dead", 1),
        ("?find=order+49999", 1),
        ("?find=nothing", 0),
    ] {
        let request = Request::get(format!("/{query}")).header("x-user", "ada");
        let request = request.body(Body::empty()).unwrap();
        let began = Instant::now();
        let page =
            console.clone().oneshot(request).await.unwrap().into_body().text().await.unwrap();
        println!("{:?} for {query:?}", began.elapsed());
        let rows = page.matches("<th scope=\"row\"><a href=\"?message=").count();
        assert_eq!(rows, messages, "{query}");
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn fifty_thousand_dead_messages_are_shown_page_by_page_from_a_file() {
    let folder = std::env::temp_dir().join(format!("outrigger-many-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("app.db");
    let (registry, [mailer, crm]) = lanes();
    let outbox = Outbox::sqlite(&file).lane(&mailer).lane(&crm).build().unwrap();
    dead(&outbox, mail("mailer").dedup_key("order 0")).await;
    multiply(&file);
    dead(&outbox, mail("crm").dedup_key("order x")).await;
    look(&registry, outbox).await;
    let _ = std::fs::remove_dir_all(&folder);
}

#[cfg(all(feature = "postgres", unix))]
#[tokio::test]
async fn fifty_thousand_dead_messages_are_shown_page_by_page_from_a_server() {
    use outrigger::outbox::postgres::PostgresStore;
    use outrigger::outbox::tokio_postgres::{NoTls, connect};

    let Some(server) = server::shared() else { return };
    let store = PostgresStore::no_tls(&server.connection_string()).unwrap();
    store.migrate().await.unwrap();
    let (registry, [mailer, crm]) = lanes();
    let outbox = Outbox::postgres(store).lane(&mailer).lane(&crm).build().unwrap();
    dead(&outbox, mail("mailer").dedup_key("order 0")).await;
    let (client, connection) = connect(&server.connection_string(), NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(MULTIPLY).await.unwrap();
    dead(&outbox, mail("crm").dedup_key("order x")).await;
    println!("before autovacuum, which this server doesn't have:");
    look(&registry, outbox.clone()).await;
    client.batch_execute("VACUUM (ANALYZE) outrigger.message").await.unwrap();
    driver.abort();
    println!("after what autovacuum does within a minute:");
    look(&registry, outbox).await;
}

#[cfg(all(feature = "postgres", unix))]
#[path = "../outbox/postgres/server.rs"]
#[expect(dead_code, reason = "the outbox's tests use all of it")]
mod server;

#[cfg(all(feature = "postgres", unix))]
const MULTIPLY: &str = "
INSERT INTO outrigger.message
SELECT (json_populate_record(m, json_build_object(
    'seq', nextval('outrigger.message_seq'), 'id', gen_random_uuid(), 'idempotency_key', 'key ' || n,
    'dedup_key', 'order ' || n
))).*
FROM outrigger.message AS m, generate_series(1, 49999) AS n";

#[cfg(feature = "sqlite")]
/// Makes 50,000 of the one that is there.
fn multiply(file: &std::path::Path) {
    let connection = outrigger::outbox::rusqlite::Connection::open(file).unwrap();
    let mut of =
        connection.prepare("SELECT name FROM pragma_table_info('outrigger_message')").unwrap();
    let names: Vec<String> =
        of.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let values = names.iter().map(|name| match name.as_str() {
        "seq" => "NULL".to_owned(),
        "id" => "printf('01a22f52-18ac-7cf0-9613-%012x', n)".to_owned(),
        "idempotency_key" => "'key ' || n".to_owned(),
        "dedup_key" => "'order ' || n".to_owned(),
        name => name.to_owned(),
    });
    let (values, names): (Vec<_>, _) = (values.collect(), names.join(", "));
    let sql = format!(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 49999)
        INSERT INTO outrigger_message ({names})
        SELECT {} FROM outrigger_message, number WHERE lane = 'mailer'",
        values.join(", ")
    );
    assert_eq!(connection.execute(&sql, []).unwrap(), 49_999);
}
