//! Lanes that send several messages in one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use outrigger::outbox::{
    Action, Batch, DeadReason, ItemVerdict, Lane, MemoryStore, Outbox, OutboxErrorKind, Polling,
    Probed, Selection, Ticket, TicketState, UnknownOutcome,
};
use outrigger::testing::{Answer, Script};

use super::bench::{Running, bodies, integration, mail, memory, provider, secs, sleep, start};
use super::troubles::{Fate, Unreliable, clock};

/// Each message's body in a line, under a heading that is another each time it is made.
fn lines() -> Batch {
    let made = AtomicUsize::new(0);
    Batch::new(
        3,
        move |messages| {
            let heading = format!("made {}", made.fetch_add(1, Ordering::SeqCst));
            let lines = messages.iter().map(|message| &message.content.body[..]);
            let lines: Vec<_> = std::iter::once(heading.as_bytes()).chain(lines).collect();
            let request = Request::post("https://api.mailer.example/batch").header("x-batch", "1");
            Ok(request.body(Bytes::from(lines.join(&b'\n')))?)
        },
        |_, answer| {
            let words = answer.body.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            words
                .map(|word| match word {
                    b"ok" => ItemVerdict::Delivered,
                    b"busy" => ItemVerdict::Retryable,
                    b"panic" => panic!("the function panics"),
                    _ => ItemVerdict::Rejected,
                })
                .collect()
        },
    )
}

fn lane(script: &Script) -> Lane {
    let lane = Lane::new(&integration("mailer", script)).batch(lines()).concurrency(1);
    lane.unknown_outcome(UnknownOutcome::Resend)
}

/// An outbox that runs, with messages that were there before.
async fn run(lane: Lane, messages: &[&'static str]) -> (Running, Vec<Ticket>) {
    let outbox = memory().lane(lane).build().unwrap();
    let tickets = add(&outbox, messages).await;
    (start(outbox), tickets)
}

async fn add(outbox: &Outbox, messages: &[&'static str]) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    for body in messages {
        tickets.push(outbox.enqueue(mail(body).lane("mailer").keep_answer(4)).await.unwrap());
    }
    tickets
}

async fn ends(running: &Running, tickets: &[Ticket]) -> Vec<&'static str> {
    let mut ends = Vec::new();
    for ticket in tickets {
        ends.push(match running.outbox.wait(ticket.id, secs(48 * 3600)).await.unwrap() {
            TicketState::Delivered { .. } => "delivered",
            TicketState::Parked { why, .. } => why.name(),
            other => panic!("it has not ended: {other:?}"),
        });
    }
    ends
}

fn keys(script: &Script) -> Vec<http::HeaderValue> {
    script.requests().iter().map(|it| it.headers()["idempotency-key"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_sent_in_one_request_and_each_message_ends_by_its_verdict() {
    let script = provider([
        Answer::status(200).body("ok busy no"),
        Answer::status(200).body("ok"),
        Answer::status(200).body("ok"),
    ]);
    let (running, tickets) = run(lane(&script), &["1", "2", "3", "4"]).await;
    let ended = ends(&running, &tickets).await;
    assert_eq!(ended, ["delivered", "delivered", "rejected", "delivered"]);
    // "4" is over the batch's size, and "2" comes again by the schedule.
    assert_eq!(bodies(&script), ["made 0\n1\n2\n3", "made 1\n4", "made 2\n2"]);
    let requests = script.requests();
    assert_eq!(requests[0].uri().path(), "/batch");
    assert_eq!(requests[0].headers()["x-batch"], "1");
    let keys = keys(&script);
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    assert!(tickets.iter().all(|ticket| keys.iter().all(|key| *key != ticket.idempotency_key)));
    let TicketState::Delivered { answer, .. } = running.outbox.ticket(tickets[0].id).await.unwrap()
    else {
        panic!("it was delivered")
    };
    assert_eq!(&answer.unwrap().body[..], b"ok b");
    assert_eq!(running.outcomes(tickets[1].id).await, ["retryable", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_outcome_is_unknown_is_repeated_as_it_was() {
    let lost = || Answer::hang();
    let script = provider([lost(), lost(), Answer::status(503), Answer::status(200).body("ok ok")]);
    let (running, tickets) = run(lane(&script), &["1", "2"]).await;
    sleep(1).await;
    let later = add(&running.outbox, &["3"]).await;
    assert_eq!(ends(&running, &tickets).await, ["delivered", "delivered"]);
    let (sent, keys) = (bodies(&script), keys(&script));
    assert_eq!(sent[0], "made 0\n1\n2");
    let of_first = sent.iter().zip(&keys).filter(|(body, _)| **body == sent[0]);
    let keys_of_first: Vec<_> = of_first.map(|(_, key)| key).collect();
    assert!(
        keys_of_first.len() >= 3 && keys_of_first.iter().all(|key| **key == keys[0]),
        "{sent:?}"
    );
    drop(later);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_may_have_been_done_is_parked_whole_or_asked_about() {
    let park = |script: &Script| lane(script).unknown_outcome(UnknownOutcome::Park);
    let (running, tickets) = run(park(&provider([Answer::hang()])), &["1", "2"]).await;
    assert_eq!(ends(&running, &tickets).await, ["unknown_outcome", "unknown_outcome"]);

    let probe = UnknownOutcome::probe(|message| async move {
        match &message.content.body[..] {
            b"1" => Probed::Done,
            b"2" => Probed::NotDone,
            _ => Probed::Unknown,
        }
    });
    let script = provider([Answer::hang(), Answer::status(200).body("ok")]);
    let (running, tickets) = run(lane(&script).unknown_outcome(probe), &["1", "2", "3"]).await;
    assert_eq!(ends(&running, &tickets).await, ["delivered", "delivered", "unknown_outcome"]);
    assert_eq!(bodies(&script), ["made 0\n1\n2\n3", "made 1\n2"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_whole_is_dead_unless_the_answer_tells_more() {
    let (running, tickets) = run(lane(&provider([Answer::status(400)])), &["1", "2"]).await;
    assert_eq!(ends(&running, &tickets).await, ["rejected", "rejected"]);
    let script = provider([Answer::status(422).body("no busy"), Answer::status(200).body("ok")]);
    let (running, tickets) = run(lane(&script), &["1", "2"]).await;
    assert_eq!(ends(&running, &tickets).await, ["rejected", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_cannot_be_read_is_an_unknown_outcome() {
    for unread in ["ok", "ok ok ok", "panic ok"] {
        let script =
            provider([Answer::status(200).body(unread), Answer::status(200).body("ok ok")]);
        let (running, tickets) = run(lane(&script), &["1", "2"]).await;
        assert_eq!(ends(&running, &tickets).await, ["delivered", "delivered"], "{unread}");
        let keys = keys(&script);
        assert_eq!(keys[0], keys[1], "{unread}");
        assert_eq!(running.outcomes(tickets[0].id).await, ["unknown", "delivered"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_makes_no_request_is_tried_again_and_says_why() {
    for panics in [true, false] {
        let fails = Arc::new(AtomicUsize::new(0));
        let batch = Batch::new(
            9,
            move |_| match fails.fetch_add(1, Ordering::SeqCst) {
                0 if panics => panic!("it panics"),
                0 => Err("no customer".into()),
                1 => Ok(Request::post("/").header("authorization", "secret").body(Bytes::new())?),
                _ => Ok(Request::post("https://api.mailer.example/").body(Bytes::new())?),
            },
            |messages, _| vec![ItemVerdict::Delivered; messages.len()],
        );
        let script = provider([Answer::status(200)]);
        let (running, tickets) = run(lane(&script).batch(batch), &["1"]).await;
        assert_eq!(ends(&running, &tickets).await, ["delivered"]);
        assert_eq!(script.requests().len(), 1);
        let attempts = running.history(tickets[0].id).await.attempts;
        let said: Vec<_> = attempts.iter().map(|it| it.error.clone().unwrap_or_default()).collect();
        let first = if panics { "panicked" } else { "no customer" };
        assert!(said[0].contains(first), "{said:?}");
        assert!(said[1].contains("authorization") && !said[1].contains("secret"), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_a_lost_worker_is_repeated_by_another_as_it_was() {
    let store = MemoryStore::new().clock(clock());
    let build = |script: &Script| {
        let outbox = Outbox::with_store(store.clone()).clock(clock()).lane(lane(script));
        outbox.build().unwrap()
    };
    let (lost, works) = (provider([Answer::hang()]), provider([Answer::status(200).body("ok ok")]));
    let outbox = build(&lost);
    let tickets = add(&outbox, &["1", "2"]).await;
    let first = start(outbox);
    sleep(1).await;
    first.kill().await;
    let second = start(build(&works));
    assert_eq!(ends(&second, &tickets).await, ["delivered", "delivered"]);
    assert_eq!((bodies(&works), keys(&works)), (bodies(&lost), keys(&lost)));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_not_sent_is_given_back_at_the_end_of_the_grace() {
    let script = provider([Answer::hang()]);
    let mailer = super::bench::builder("mailer").bulkhead(|bulkhead| bulkhead.concurrency(1));
    let mailer = mailer.service(script.clone()).build().unwrap();
    let bulk = Lane::new(&mailer).name("bulk").batch(lines());
    let outbox = memory().lane(&mailer).lane(bulk).build().unwrap();
    let one = outbox.enqueue(mail("1").lane("mailer")).await.unwrap();
    let two = outbox.enqueue(mail("2").lane("bulk")).await.unwrap();
    let running = start(outbox.clone());
    sleep(1).await;
    assert_eq!(script.begun(), 1);
    running.shut_down(Duration::from_secs(2)).await;
    let states = [outbox.ticket(one.id).await.unwrap(), outbox.ticket(two.id).await.unwrap()];
    let waits = |state: &TicketState| matches!(state, TicketState::Accepted { attempts: 0, .. });
    assert_eq!(states.iter().filter(|state| waits(state)).count(), 1, "{states:?}");
    assert!(states.contains(&TicketState::Sending), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_repeated_as_it_was_also_for_one_that_was_called_off_meanwhile() {
    let script = provider([Answer::status(503), Answer::status(200).body("ok ok no")]);
    let (running, tickets) = run(lane(&script), &["1", "2", "3"]).await;
    let attempts = async || running.history(tickets[0].id).await.attempts.len();
    while attempts().await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let selection = Selection::One(tickets[0].id);
    let by = ("ada".to_owned(), "a mistake".to_owned());
    let acted = running.outbox.store().act(selection, Action::Cancel, by.0, by.1).await.unwrap();
    assert_eq!(acted.changed, [tickets[0].id]);
    // It was done all the same.
    let ended = ends(&running, &tickets[1..]).await;
    assert_eq!(ended, ["delivered", "rejected"]);
    assert_eq!(ends(&running, &tickets[..1]).await, ["delivered"]);
    let (sent, keys) = (bodies(&script), keys(&script));
    assert_eq!((&sent[1], &keys[1]), (&sent[0], &keys[0]));
    assert_eq!(running.outcomes(tickets[0].id).await, ["late"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_after_it_may_have_been_done_is_parked_as_that() {
    let script = provider([Answer::hang(), Answer::status(400)]);
    let (running, tickets) = run(lane(&script), &["1", "2"]).await;
    assert_eq!(ends(&running, &tickets).await, ["unknown_outcome", "unknown_outcome"]);
    assert_eq!(running.outcomes(tickets[0].id).await, ["unknown", "unknown_outcome"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_of_a_batch_that_cannot_be_repeated_is_asked_about_before_it_is_parked() {
    let store = MemoryStore::new().clock(clock());
    let build =
        |lane: Lane| Outbox::with_store(store.clone()).clock(clock()).lane(lane).build().unwrap();
    let outbox = build(lane(&provider([Answer::hang()])));
    let tickets = add(&outbox, &["1", "2"]).await;
    let first = start(outbox);
    sleep(1).await;
    first.kill().await;
    let probe = UnknownOutcome::probe(|message| async move {
        if &message.content.body[..] == b"1" { Probed::Done } else { Probed::NotDone }
    });
    let script = provider([Answer::status(200)]);
    let single = Lane::new(&integration("mailer", &script)).unknown_outcome(probe);
    let second = start(build(single));
    assert_eq!(ends(&second, &tickets).await, ["delivered", "delivered"]);
    assert_eq!(bodies(&script), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_batch_came_to_is_stored_for_all_of_it_or_for_none() {
    let store = Unreliable::new(|_| Fate::Works);
    let script = provider([Answer::status(200).body("ok ok ok")]);
    let outbox = Outbox::with_store(store.clone()).clock(clock()).lane(lane(&script));
    let outbox = outbox.build().unwrap();
    let tickets = add(&outbox, &["1", "2", "3"]).await;
    *store.locked.lock().unwrap() = Some(tickets[1].id);
    let running = start(outbox);
    sleep(200).await;
    for ticket in &tickets {
        let state = running.outbox.ticket(ticket.id).await.unwrap();
        assert_eq!(state, TicketState::Sending);
    }
    *store.locked.lock().unwrap() = None;
    assert_eq!(ends(&running, &tickets).await, ["delivered"; 3]);
    assert_eq!(script.requests().len(), 1);
}

#[test]
fn a_batch_that_cannot_work_is_refused() {
    let mailer = integration("mailer", &provider([Answer::status(200)]));
    let none = Batch::new(0, |_| Err("never".into()), |_, _| Vec::new());
    let lane = Lane::new(&mailer).batch(none).polling(Polling::new());
    let error = memory().lane(lane).build().unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::Settings);
    for part in ["batch", "polling"] {
        assert!(error.to_string().contains(part), "{part} is not in {error}");
    }
    assert_eq!(DeadReason::UnknownOutcome.name(), "unknown_outcome");
}
