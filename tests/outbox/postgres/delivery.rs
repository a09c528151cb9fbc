//! Workers on the store, from the first call to the last settlement.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::Integration;
use outrigger::outbox::{Message, Outbox, TicketState};
use outrigger::testing::{Answer, Script};

use super::Schema;

#[tokio::test]
async fn two_worker_processes_deliver_each_message_and_settle_it_once() {
    let Some(schema) = Schema::new().await else { return };
    schema.run("CREATE TABLE outrigger.charged (message text)").await;
    let (insert, sent) =
        (schema.sql("INSERT INTO outrigger.charged VALUES ($1)"), Arc::new(AtomicUsize::new(0)));
    let outbox = || {
        let (insert, sent) = (insert.clone(), Arc::clone(&sent));
        let store = schema.store().on_delivered("mailer", move |tx, message, answer| {
            let insert = insert.clone();
            Box::pin(async move {
                assert_eq!(answer.status, 201);
                tx.execute(&insert, &[&message.content.id.to_string()]).await?;
                Ok(())
            })
        });
        let provider = Script::by(move |_| {
            sent.fetch_add(1, Ordering::Relaxed);
            Answer::status(201)
        });
        let mailer = Integration::background("mailer").service(provider).build().unwrap();
        Outbox::with_store(store).lane(&mailer).build().unwrap()
    };
    let workers = [outbox(), outbox()];
    let running: Vec<_> =
        workers.iter().cloned().map(|it| tokio::spawn(async move { it.run().await })).collect();
    let mut tickets = Vec::new();
    for nth in 0..60 {
        let mail = Message::post("https://api.mailer.example/mails").body("to=ada");
        tickets.push(workers[nth % 2].enqueue(mail).await.unwrap());
    }
    for ticket in tickets {
        let state = workers[0].wait(ticket.id, Duration::from_secs(60)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { status: Some(201), .. }), "{state:?}");
    }
    for worker in workers {
        worker.shut_down(Duration::from_secs(10));
    }
    for worker in running {
        worker.await.unwrap().unwrap();
    }
    let count = schema.sql("SELECT count(*), count(DISTINCT message) FROM outrigger.charged");
    let row = schema.client.query_one(&count, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (60, 60));
    assert_eq!(sent.load(Ordering::Relaxed), 60);
}
