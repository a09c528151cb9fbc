use std::sync::{Arc, Mutex};

use std::time::Duration;

use outrigger::BoxError;
use outrigger::event::Event;
use outrigger::outbox::{
    Action, Batch, By, DeadReason, ItemVerdict, Lane, MemoryStore, Outbox, OutboxEvent, Seal,
    Sealed, Selection, TicketState, Timestamp, UnknownOutcome,
};
use outrigger::testing::{Answer, EventRecorder, Script};

use super::bench::{bodies, builder, integration, mail, memory, provider, secs, sleep, start};
use super::troubles::clock;
use crate::suite::seals::Keys;

const ADA: By<'_> = By { who: "ada", why: "the key is back" };

#[tokio::test(start_paused = true)]
async fn a_message_whose_key_is_gone_is_parked_and_delivered_when_it_is_back() {
    let (script, keys) = (provider([Answer::status(201)]), Keys::new(["k1"]));
    let outbox = memory().lane(&integration("mailer", &script)).seal(keys.clone()).build().unwrap();
    let ticket = outbox.enqueue(mail("a secret")).await.unwrap();
    keys.become_those(["k2"]);
    let running = start(outbox);
    let state = running.outbox.wait(ticket.id, HOUR).await.unwrap();
    assert_eq!(state, TicketState::Parked { why: DeadReason::Sealed, replaced_by: None });
    let history = running.history(ticket.id).await;
    let told = history.attempts[0].error.clone().unwrap();
    assert!(told.contains("k1"), "{told}");
    assert!(script.requests().is_empty());
    keys.become_those(["k2", "k1"]);
    running.outbox.replay(Selection::One(ticket.id), ADA).await.unwrap();
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(bodies(&script), ["a secret"]);
    running.shut_down(secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_keys_sends_nothing_of_what_is_sealed() {
    let script = provider([Answer::status(201)]);
    let outbox = memory().lane(&integration("mailer", &script)).build().unwrap();
    let new = mail("1").build("mailer", outbox.store().now().await.unwrap(), &rng()).unwrap();
    let id = new.content.id;
    outbox.store().enqueue(vec![new.sealed(&Keys::new(["k1"])).unwrap()]).await.unwrap();
    let running = start(outbox);
    let state = running.outbox.wait(id, HOUR).await.unwrap();
    assert_eq!(state, TicketState::Parked { why: DeadReason::Sealed, replaced_by: None });
    assert!(script.requests().is_empty());
    running.shut_down(secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_settling_function_sees_what_was_sealed() {
    let (script, seen) = (provider([Answer::status(201).body("done")]), Arc::default());
    let known: Arc<Mutex<Vec<String>>> = Arc::clone(&seen);
    let settle = move |message: &outrigger::outbox::StoredMessage,
                       answer: &outrigger::outbox::Answer| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut known = known.lock().unwrap();
        known.push(text(&message.content.body) + " " + &text(&answer.body));
        // Then once more, with the answer that was kept.
        if known.len() == 1 { Err("not yet".into()) } else { Ok(()) }
    };
    let outbox = memory()
        .lane(&integration("mailer", &script))
        .on_delivered("mailer", settle)
        .seal(Keys::new(["k1"]));
    let running = start(outbox.build().unwrap());
    let state = running.end_of(mail("a secret")).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    sleep(10).await;
    assert_eq!(*seen.lock().unwrap(), ["a secret done", "a secret done"]);
    assert_eq!(script.requests().len(), 1);
    running.shut_down(secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_that_was_not_sent_those_that_can_be_opened_go_on() {
    let (script, keys) = (provider([Answer::status(200)]), Keys::new(["k1"]));
    let lane = Lane::new(&integration("mailer", &script)).batch(words());
    let outbox = memory().lane(lane).seal(keys.clone()).build().unwrap();
    let lost = outbox.enqueue(mail("1")).await.unwrap();
    keys.become_those(["k2"]);
    for body in ["2", "3"] {
        outbox.enqueue(mail(body)).await.unwrap();
    }
    let running = start(outbox);
    sleep(60).await;
    assert!(script.requests().is_empty(), "the key may come back");
    sleep(3600).await;
    assert_eq!(bodies(&script), ["2 3"]);
    assert_eq!(
        running.history(lost.id).await.message.progress.dead_reason,
        Some(DeadReason::Sealed)
    );
    keys.become_those(["k1"]);
    running.outbox.replay(Selection::One(lost.id), ADA).await.unwrap();
    sleep(30).await;
    assert_eq!(bodies(&script), ["2 3", "1"]);
    running.shut_down(secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_missing_for_a_moment_parks_nothing() {
    let (script, keys) = (provider([Answer::status(201)]), Keys::new(["k1"]));
    let recorder = EventRecorder::new();
    let mailer = builder("mailer").subscriber(recorder.clone());
    let mailer = mailer.service(script.clone()).build().unwrap();
    let outbox = memory().lane(&mailer).seal(keys.clone()).build().unwrap();
    let mut tickets = Vec::new();
    for _ in 0..20 {
        tickets.push(outbox.enqueue(mail("1").max_attempts(2)).await.unwrap().id);
    }
    keys.become_those(["k2"]);
    outbox.enqueue(mail("2")).await.unwrap();
    let running = start(outbox);
    sleep(120).await;
    assert_eq!(bodies(&script), ["2"], "what can be opened goes on");
    let told = recorder.count(|event| *event == Event::Outbox(OutboxEvent::KeyMissing));
    assert_eq!(told, 1);
    for id in &tickets {
        let history = running.history(*id).await;
        assert_eq!(history.message.progress.attempt, 0);
        let said = history.attempts[0].error.clone().unwrap();
        assert!(said.contains("k1") && history.attempts[0].outcome == "snoozed", "{said}");
    }
    keys.become_those(["k2", "k1"]);
    sleep(60).await;
    assert_eq!(script.requests().len(), 21);
    running.shut_down(secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_sealed_is_not_kept_and_the_success_counts() {
    let (script, seen) = (provider([Answer::status(201).body("done")]), Arc::default());
    let known: Arc<Mutex<Vec<String>>> = Arc::clone(&seen);
    let settle = move |message: &outrigger::outbox::StoredMessage,
                       answer: &outrigger::outbox::Answer| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut known = known.lock().unwrap();
        known.push(format!(
            "{} {} {}",
            text(&message.content.body),
            answer.status,
            text(&answer.body)
        ));
        if known.len() == 1 { Err("not yet".into()) } else { Ok(()) }
    };
    let outbox = memory()
        .lane(&integration("mailer", &script))
        .on_delivered("mailer", settle)
        .seal(Without("answer"));
    let running = start(outbox.build().unwrap());
    let ticket = running.enqueue(mail("a secret").keep_answer(100)).await;
    let state = running.outbox.wait(ticket.id, HOUR).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { status: Some(201), .. }), "{state:?}");
    sleep(60).await;
    // Once with what is in memory, and then with what could be kept.
    assert_eq!(*seen.lock().unwrap(), ["a secret 201 done", "a secret 201 "]);
    assert_eq!(running.outcomes(ticket.id).await, ["hook_failed", "delivered"]);
    assert_eq!(script.requests().len(), 1);

    let script = provider([Answer::status(201).body("done")]);
    let outbox = memory().lane(&integration("mailer", &script)).seal(Without("answer"));
    let running = start(outbox.build().unwrap());
    let ticket = running.enqueue(mail("a secret").keep_answer(100)).await;
    sleep(60).await;
    let told = running.history(ticket.id).await.attempts.remove(0);
    assert_eq!(told.outcome, "delivered");
    assert!(told.error.clone().unwrap().contains("sealed"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn the_request_of_a_batch_that_cannot_be_sealed_is_a_failed_attempt() {
    let script = provider([Answer::status(200)]);
    let lane = Lane::new(&integration("mailer", &script)).batch(words());
    let running = start(memory().lane(lane).seal(Without("batch")).build().unwrap());
    let ticket = running.enqueue(mail("1").max_attempts(2)).await;
    let state = running.outbox.wait(ticket.id, HOUR).await.unwrap();
    assert_eq!(state, TicketState::Parked { why: DeadReason::Exhausted, replaced_by: None });
    let told = running.history(ticket.id).await.attempts.remove(0);
    assert!(told.error.clone().unwrap().contains("sealed"), "{told:?}");
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_without_the_key_of_its_answer_says_nothing_of_it() {
    let (script, keys) = (provider([Answer::status(201).body("done")]), Keys::new(["k1"]));
    let outbox = memory().lane(&integration("mailer", &script)).seal(keys.clone()).build().unwrap();
    let running = start(outbox);
    let ticket = running.enqueue(mail("a secret").keep_answer(100)).await;
    running.outbox.wait(ticket.id, HOUR).await.unwrap();
    keys.become_those(["k2"]);
    let state = running.outbox.ticket(ticket.id).await.unwrap();
    assert_eq!(state, TicketState::Delivered { status: Some(201), answer: None });
    let response = state.to_response(&http::HeaderValue::from_static("/"), Timestamp(0));
    assert!(response.status() == 200 && response.body().is_empty(), "{response:?}");
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_that_may_have_been_done_nothing_is_sent_again_without_a_key_of_it() {
    let (store, both) = (MemoryStore::new().clock(clock()), Keys::new(["k1"]));
    let build = |script: &Script, keys: Keys| {
        let lane = Lane::new(&integration("mailer", script)).batch(words());
        let lane = lane.unknown_outcome(UnknownOutcome::Resend);
        let outbox = Outbox::with_store(store.clone()).clock(clock()).lane(lane).seal(keys);
        outbox.build().unwrap()
    };
    let (lost, works) = (provider([Answer::hang()]), provider([Answer::status(200)]));
    let outbox = build(&lost, both.clone());
    let mut tickets = Vec::new();
    for (body, key) in [("1", "k1"), ("2", "k1"), ("3", "k2")] {
        both.become_those([key]);
        tickets.push(outbox.enqueue(mail(body)).await.unwrap().id);
    }
    both.become_those(["k1", "k2"]);
    let first = start(outbox);
    sleep(1).await;
    first.kill().await;
    assert_eq!(bodies(&lost), ["1 2 3"]);
    sleep(200).await;
    let outbox = build(&works, Keys::new(["k1"]));
    outbox.store().reap(9).await.unwrap();
    for action in [Action::Cancel, Action::Erase] {
        let acted = outbox.act(Selection::One(tickets[0]), action, ADA).await.unwrap();
        assert_eq!(acted.changed, [tickets[0]]);
    }
    let running = start(outbox);
    sleep(3600).await;
    let why = async |at: usize| running.history(tickets[at]).await.message.progress.dead_reason;
    assert_eq!(why(1).await, Some(DeadReason::UnknownOutcome));
    assert_eq!(why(2).await, Some(DeadReason::Sealed));
    assert!(works.requests().is_empty());
}

/// The bodies in one request.
fn words() -> Batch {
    Batch::new(
        10,
        |messages| {
            let bodies: Vec<_> = messages.iter().map(|it| &it.content.body[..]).collect();
            Ok(http::Request::post("https://api.mailer.example/")
                .body(bodies.join(&b' ').into())?)
        },
        |messages, _| vec![ItemVerdict::Delivered; messages.len()],
    )
}

/// Seals all but this part.
struct Without(&'static str);

impl Seal for Without {
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Sealed, BoxError> {
        match std::str::from_utf8(context)?.contains(self.0) {
            true => Err("the key is away".into()),
            false => Keys::new(["k1"]).seal(plain, context),
        }
    }

    fn open(&self, key: &str, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, BoxError> {
        Keys::new(["k1"]).open(key, sealed, context)
    }
}

/// Longer than a key may be missing.
const HOUR: Duration = Duration::from_secs(3600);

fn rng() -> outrigger::rt::Rng {
    outrigger::rt::Rng::seeded(5)
}
