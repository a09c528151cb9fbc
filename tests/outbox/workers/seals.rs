use std::sync::{Arc, Mutex};

use outrigger::outbox::{Batch, By, DeadReason, ItemVerdict, Lane, Selection, TicketState};
use outrigger::testing::Answer;

use super::bench::{bodies, integration, mail, memory, provider, secs, sleep, start};
use crate::suite::seals::Keys;

const ADA: By<'_> = By { who: "ada", why: "the key is back" };

#[tokio::test(start_paused = true)]
async fn a_message_whose_key_is_gone_is_parked_and_delivered_when_it_is_back() {
    let (script, keys) = (provider([Answer::status(201)]), Keys::new(["k1"]));
    let outbox = memory().lane(&integration("mailer", &script)).seal(keys.clone()).build().unwrap();
    let ticket = outbox.enqueue(mail("a secret")).await.unwrap();
    keys.become_those(["k2"]);
    let running = start(outbox);
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
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
    let state = running.outbox.wait(id, secs(60)).await.unwrap();
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
    let batch = Batch::new(
        10,
        |messages| {
            let bodies: Vec<_> = messages.iter().map(|it| &it.content.body[..]).collect();
            Ok(http::Request::post("https://api.mailer.example/")
                .body(bodies.join(&b' ').into())?)
        },
        |messages, _| vec![ItemVerdict::Delivered; messages.len()],
    );
    let lane = Lane::new(&integration("mailer", &script)).batch(batch);
    let outbox = memory().lane(lane).seal(keys.clone()).build().unwrap();
    let lost = outbox.enqueue(mail("1")).await.unwrap();
    keys.become_those(["k2"]);
    for body in ["2", "3"] {
        outbox.enqueue(mail(body)).await.unwrap();
    }
    let running = start(outbox);
    sleep(30).await;
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

fn rng() -> outrigger::rt::Rng {
    outrigger::rt::Rng::seeded(5)
}
