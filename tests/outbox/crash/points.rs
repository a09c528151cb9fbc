//! Kills at each point of a message's way.

use outrigger::outbox::{Message, State};

use super::{Place, Process, Provider, Reply, Task};
use crate::sqlite::Folder;

/// A task whose process is killed, and how many requests the provider gets in all.
const POINTS: [(Task, usize); 4] = [
    (Task::DieClaimed, 1),
    // The provider has it, and doesn't answer.
    (Task::Deliver, 2),
    (Task::DieAnswered, 2),
    (Task::DieSettling, 2),
];

/// Whichever point it is: one key, one charge, and the first attempt is one of which nobody knows what it did.
async fn delivered_once_after(task: Task, requests: usize, place: Place) {
    let hangs = task == Task::Deliver;
    let provider = Provider::start(0, move |seen, _| match seen.is_empty() && hangs {
        true => Reply::Hangs,
        false => Reply::Done,
    });
    let provider = provider.await;
    let outbox = place.outbox(None, || {});
    let ticket = outbox.enqueue(Message::post("/mails").lane("mailer").body("1")).await.unwrap();
    let (process, _lines) = Process::start(&place, &provider.url, task);
    if hangs {
        provider.seen_by(1).await;
        drop(process);
    } else {
        assert!(!process.ended().await, "{task:?}");
    }
    let stored = outbox.history(ticket.id).await.unwrap().unwrap().message.progress;
    assert_eq!(stored.state, State::Leased, "{task:?}: it is with the process that was killed");
    assert_eq!(place.books().await.charges, 0, "{task:?}");

    let (process, _lines) = Process::start(&place, &provider.url, Task::Finish);
    assert!(process.ended().await, "{task:?}");
    let log = provider.log();
    assert_eq!(log.len(), requests, "{task:?}");
    assert!(log.iter().all(|seen| seen.key == ticket.idempotency_key && seen.body == "1"));
    let books = place.books().await;
    assert_eq!((books.messages, books.delivered, books.charges), (1, 1, 1), "{task:?}");
    let attempts = outbox.history(ticket.id).await.unwrap().unwrap().attempts;
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["unknown", "delivered"], "{task:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_process_is_killed_its_message_is_delivered_and_settled_once() {
    let folders = POINTS.map(|_| Folder::new());
    let lives = std::iter::zip(POINTS, &folders).map(|((task, requests), folder)| {
        tokio::spawn(delivered_once_after(task, requests, Place::sqlite(folder)))
    });
    for life in lives.collect::<Vec<_>>() {
        life.await.unwrap();
    }
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_process_on_a_database_is_killed_its_message_is_delivered_and_settled_once() {
    let mut lives = Vec::new();
    for (task, requests) in POINTS {
        let Some(schema) = crate::postgres::Schema::new().await else { return };
        let place = Place::postgres(&schema).await;
        lives.push(tokio::spawn(delivered_once_after(task, requests, place)));
    }
    for life in lives {
        life.await.unwrap();
    }
}
