//! What is sealed in a file: by the host's own transaction, too, and opened for its settling function.

use std::time::Duration;

use outrigger::Integration;
use outrigger::outbox::rusqlite::{Connection, params_from_iter};
use outrigger::outbox::{Dialect, Outbox, TicketState};
use outrigger::testing::{Answer, Script};

use super::Folder;
use crate::suite::bench::mail;
use crate::suite::seals::Keys;

#[tokio::test]
async fn nothing_of_a_sealed_message_stands_in_the_file() {
    let (folder, keys) = (Folder::new(), Keys::new(["k1"]));
    let script = Script::new([Answer::status(201).body("whispered answer")]);
    let mailer = Integration::background("mailer").service(script.clone()).build().unwrap();
    let outbox = Outbox::sqlite(folder.file())
        .lane(&mailer)
        .on_delivered("mailer", |tx, message, answer| {
            assert_eq!((&message.content.body[..], &answer.body[..]), SEEN);
            let next = mail("receipt").lane("mailer").dedup_key("next");
            let next = next.insert_statement(Dialect::Sqlite)?;
            Ok(tx.execute(&next.sql, params_from_iter(next.params)).map(drop)?)
        })
        .seal(keys.clone())
        .build()
        .unwrap();
    let mut host = Connection::open(folder.file()).unwrap();
    let transaction = host.transaction().unwrap();
    let message = mail("whispered request").lane("mailer").keep_answer(99);
    let insert = message.sealed_insert_statement(Dialect::Sqlite, &keys).unwrap();
    transaction.execute(&insert.sql, params_from_iter(insert.params)).unwrap();
    transaction.commit().unwrap();
    let worker = outbox.clone();
    let running = tokio::spawn(async move { worker.run().await });
    let state = outbox.wait(insert.id, Duration::from_secs(60)).await.unwrap();
    let TicketState::Delivered { answer: Some(answer), .. } = state else { panic!("{state:?}") };
    assert_eq!(&answer.body[..], SEEN.1);
    outbox.shut_down(Duration::from_secs(5));
    running.await.unwrap().unwrap();
    for name in ["jobs.db", "jobs.db-wal"] {
        let bytes = std::fs::read(folder.file().with_file_name(name)).unwrap_or_default();
        assert!(!bytes.windows(9).any(|at| at == b"whispered"), "{name}");
    }
}

const SEEN: (&[u8], &[u8]) = (b"whispered request", b"whispered answer");
