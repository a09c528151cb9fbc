//! A process that stands still for longer than its leases, and goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger::outbox::{Message, Schedule, State, Ticket, TicketState};

use super::process::{lane, signal};
use super::{CONCURRENCY, PATIENCE, Place, Process, Provider, Reply, Task};
use crate::postgres::Schema;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_of_a_process_that_was_stopped_past_its_lease_counts_and_only_what_it_had_repeats()
 {
    let Some(schema) = Schema::new().await else { return };
    let place = Place::postgres(&schema).await;
    // One message is answered before the process stops; the others of its four are under way.
    let provider = Provider::start(CONCURRENCY, |seen, body| {
        let is_first = seen.iter().all(|seen| seen.body != body);
        match (body.split_once(' ').map(|(kind, _)| kind), is_first) {
            (Some("held"), true) => Reply::Hangs,
            (Some("late"), false) => Reply::Fails,
            _ => Reply::Done,
        }
    });
    let provider = provider.await;
    // The second process tries a failed message again in an hour, so that only the first one can deliver it.
    let again = Schedule::new([Duration::from_secs(3_600)]);
    let second = place.outbox(Some(lane(&provider.url, Task::Deliver).schedule(again)), || {});
    let enqueue = async |body: String| -> Ticket {
        second.enqueue(Message::post("/mails").body(body)).await.unwrap()
    };
    let late = enqueue("late 0".into()).await;
    for nth in 1..CONCURRENCY {
        enqueue(format!("held {nth}")).await;
    }
    let (first, mut lines) = Process::start(&place, &provider.url, Task::Stop);
    let stops = tokio::task::spawn_blocking(move || {
        lines.find(|line| line.as_ref().is_ok_and(|line| line.ends_with("stops")))
    });
    tokio::time::timeout(PATIENCE, stops).await.expect("it is stopped").unwrap().unwrap().unwrap();

    let runs = second.clone();
    let run = tokio::spawn(async move { runs.run().await.unwrap() });
    for nth in 0..8 {
        enqueue(format!("more {nth}")).await;
    }
    let has_failed = async || -> bool {
        let stats = second.stats("mailer").await.unwrap();
        let late = second.history(late.id).await.unwrap().unwrap().message.progress;
        (stats.ready, stats.leased) == (1, 0) && late.attempt == 2
    };
    let end = tokio::time::Instant::now() + PATIENCE;
    while !has_failed().await {
        assert!(tokio::time::Instant::now() < end, "the second process has the first one's work");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    signal(first.id(), "CONT");
    let state = second.wait(late.id, PATIENCE).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { status: Some(200), .. }), "{state:?}");
    let history = second.history(late.id).await.unwrap().unwrap();
    assert_eq!(history.message.progress.state, State::Delivered);
    let outcomes: Vec<_> = history.attempts.iter().map(|it| it.outcome.as_str()).collect();
    assert_eq!(outcomes, ["late", "retryable"]);

    let mut times = BTreeMap::new();
    let log = provider.log();
    log.iter().for_each(|seen| *times.entry((&seen.body, &seen.key)).or_insert(0) += 1);
    assert_eq!(times.len(), CONCURRENCY + 8);
    for ((body, _), times) in times {
        assert_eq!(times, if body.starts_with("more") { 1 } else { 2 }, "{body}");
    }
    let books = place.books().await;
    assert_eq!((books.delivered, books.charges, books.charged), (12, 12, 12), "{books:?}");
    drop(first);
    second.shut_down(Duration::from_secs(5));
    run.await.unwrap();
}
