//! The example, on the tests' server.

use std::time::Duration;

use super::{connect, server};

#[path = "../../../examples/outbox_postgres.rs"]
#[expect(dead_code, reason = "its `main` is for a process of its own")]
mod outbox_postgres;

#[tokio::test]
async fn the_example_welcomes_each_account_once() {
    let Some(server) = server::shared() else { return };
    let admin = connect(&server.connection_string()).await;
    admin.batch_execute("CREATE DATABASE example").await.unwrap();
    let url = server.connection_string().replace("dbname=postgres", "dbname=example");
    for address in ["ada@example.com", "bob@example.com", "ada@example.com"] {
        outbox_postgres::enqueue(&url, address).await.unwrap();
    }
    let client = connect(&url).await;
    let count = async |sql: &str| -> i64 { client.query_one(sql, &[]).await.unwrap().get(0) };
    assert_eq!(count("SELECT count(*) FROM outrigger.message").await, 2);

    let welcomed = "SELECT count(*) FROM account WHERE is_welcomed";
    let is_over = async {
        while count(welcomed).await < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let run = outbox_postgres::run(&url, is_over);
    tokio::time::timeout(Duration::from_secs(60), run).await.expect("in time").unwrap();
    let delivered = "SELECT count(*) FROM outrigger.message WHERE state = 'delivered'";
    assert_eq!(count(delivered).await, 2);
}
