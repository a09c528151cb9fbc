//! What is sealed in a database: by the host's own transaction, too, and opened for its settling function.

use std::time::Duration;

use outrigger::Integration;
use outrigger::outbox::{Dialect, Outbox, TicketState};
use outrigger::testing::{Answer, Script};

use super::Schema;
use crate::suite::bench::mail;
use crate::suite::seals::Keys;

#[tokio::test]
async fn nothing_of_a_sealed_message_stands_in_the_tables() {
    let Some(schema) = Schema::new().await else { return };
    schema.run("CREATE TABLE outrigger.seen (request text, answer text)").await;
    let (keys, add) = (Keys::new(["k1"]), schema.sql("INSERT INTO outrigger.seen VALUES ($1, $2)"));
    let script = Script::new([Answer::status(201).body("whispered answer")]);
    let mailer = Integration::background("mailer").service(script).build().unwrap();
    let outbox = Outbox::postgres(schema.store())
        .seal(keys.clone())
        .lane(&mailer)
        .on_delivered("mailer", move |tx, message, answer| {
            let add = add.clone();
            Box::pin(async move {
                let texts = (
                    std::str::from_utf8(&message.content.body)?,
                    std::str::from_utf8(&answer.body)?,
                );
                tx.execute(&add, &[&texts.0, &texts.1]).await?;
                Ok(())
            })
        })
        .build()
        .unwrap();
    let message = mail("whispered request").lane("mailer").keep_answer(99);
    let insert = message.sealed_insert_statement(Dialect::Postgres, &keys).unwrap();
    let insert = insert.in_schema(&schema.name);
    let params: Vec<_> = insert.params.iter().map(|value| value as _).collect();
    schema.client.query_one(&*insert.sql, &params).await.unwrap();
    let worker = outbox.clone();
    let running = tokio::spawn(async move { worker.run().await });
    let state = outbox.wait(insert.id, Duration::from_secs(60)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { answer: Some(_), .. }), "{state:?}");
    outbox.shut_down(Duration::from_secs(5));
    running.await.unwrap().unwrap();
    let seen = schema.client.query_one(&schema.sql("SELECT * FROM outrigger.seen"), &[]).await;
    let seen = seen.unwrap();
    let seen: (String, String) = (seen.get(0), seen.get(1));
    assert_eq!(seen, ("whispered request".to_owned(), "whispered answer".to_owned()));
    let rows = "SELECT count(*) FROM outrigger.message AS m WHERE m::text LIKE $1";
    let hidden =
        format!("%{}%", b"whispered".iter().fold(String::new(), |s, b| s + &format!("{b:02x}")));
    let count = schema.client.query_one(&schema.sql(rows), &[&hidden]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 0);
}
