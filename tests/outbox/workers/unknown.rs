use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outbox::{
    By, DeadReason, Lane, Message, Probed, Selection, TicketState, UnknownOutcome,
};
use outrigger::testing::{Answer, Script};

use super::bench::{builder, integration, mail, provider, run, secs};

/// The first request is never answered.
fn lost() -> Script {
    provider([Answer::hang(), Answer::status(200)])
}

fn parked() -> TicketState {
    TicketState::Parked { why: DeadReason::UnknownOutcome, replaced_by: None }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_may_have_been_done_is_parked_if_keys_are_not_known_to_count() {
    let script = lost();
    let running = run(&integration("mailer", &script));
    assert_eq!(running.end_of(mail("1")).await, parked());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_sent_again_while_the_provider_knows_its_key() {
    let script = lost();
    let mailer = builder("mailer")
        .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
        .service(script.clone())
        .build()
        .unwrap();
    let running = run(&mailer);
    let ticket = running.enqueue(mail("1")).await;
    let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    let requests = script.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].headers()["idempotency-key"], requests[1].headers()["idempotency-key"]);
    assert_eq!(requests[0].body(), requests[1].body());
    assert_eq!(running.outcomes(ticket.id).await, ["unknown", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn it_is_parked_once_the_provider_has_forgotten_its_key() {
    let script = provider([Answer::hang()]);
    let profile = KeyProfile::stripe().lifetime(secs(120));
    let mailer = builder("mailer")
        .idempotency(IdempotencyLayer::new(profile))
        .service(script.clone())
        .build()
        .unwrap();
    let running = run(&mailer);
    assert_eq!(running.end_of(mail("1")).await, parked());
    assert!((2..=4).contains(&script.requests().len()), "{}", script.requests().len());
}

#[tokio::test(start_paused = true)]
async fn one_that_was_replayed_is_parked_if_a_pause_outlives_its_key() {
    let script = lost();
    let profile = KeyProfile::stripe().lifetime(secs(600));
    let mailer = builder("mailer")
        .idempotency(IdempotencyLayer::new(profile))
        .service(script.clone())
        .build()
        .unwrap();
    let running = run(Lane::new(&mailer).unknown_outcome(UnknownOutcome::Park));
    let ticket = running.enqueue(mail("1")).await;
    assert_eq!(running.outbox.wait(ticket.id, secs(300)).await.unwrap(), parked());
    let by = By { who: "ada", why: "it was not done" };
    let until = running.outbox.store().now().await.unwrap().plus(secs(600));
    running.outbox.pause("mailer", until, by).await.unwrap();
    let replayed = running.outbox.replay(Selection::One(ticket.id), by).await.unwrap();
    assert_eq!(replayed.changed, [ticket.id]);
    assert_eq!(running.outbox.wait(ticket.id, secs(900)).await.unwrap(), parked());
    assert_eq!(script.requests().len(), 1);
}

/// A provider that ignores keys may answer 500 after it did what was asked.
#[tokio::test(start_paused = true)]
async fn where_a_lane_parks_an_error_of_the_server_does_not_prove_that_nothing_was_done() {
    let post = || mail("1");
    let put = || Message::new(http::Method::PUT, "https://api.mailer.example/mails/1");
    for (status, message, sent) in
        [(500, post(), 1), (502, post(), 1), (503, post(), 2), (501, post(), 2), (500, put(), 2)]
    {
        let script = provider([Answer::status(status), Answer::status(200)]);
        let mailer = integration("mailer", &script);
        let running = run(Lane::new(&mailer).unknown_outcome(UnknownOutcome::Park));
        let state = running.end_of(message).await;
        assert_eq!(script.requests().len(), sent, "{status}: {state:?}");
        assert_eq!(state == parked(), sent == 1, "{status}: {state:?}");
    }
    // By default it is tried again.
    let script = provider([Answer::status(500), Answer::status(200)]);
    let state = run(&integration("mailer", &script)).end_of(post()).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn a_method_that_is_idempotent_is_sent_again() {
    let script = lost();
    let running = run(&integration("mailer", &script));
    let put = Message::new(http::Method::PUT, "https://api.mailer.example/mails/1");
    let state = running.end_of(put).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_with_a_key_of_its_own_is_sent_again() {
    let script = lost();
    let running = run(&integration("mailer", &script));
    let state = running.end_of(mail("1").idempotency_key("mail-1")).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(script.requests()[1].headers()["idempotency-key"], "mail-1");
}

#[tokio::test(start_paused = true)]
async fn a_lane_may_send_again_or_park_whatever_is_known() {
    let script = lost();
    let lane = Lane::new(&integration("mailer", &script)).unknown_outcome(UnknownOutcome::Resend);
    let state = run(lane).end_of(mail("1")).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");

    let script = lost();
    let lane = Lane::new(&integration("mailer", &script)).unknown_outcome(UnknownOutcome::Park);
    let put = Message::new(http::Method::PUT, "https://api.mailer.example/mails/1");
    assert_eq!(run(lane).end_of(put).await, parked());
}

#[tokio::test(start_paused = true)]
async fn a_lane_may_ask_the_provider_first() {
    for (says, sent, is_delivered) in
        [(Probed::Done, 1, true), (Probed::NotDone, 2, true), (Probed::Unknown, 1, false)]
    {
        let (script, asked) = (lost(), Arc::new(AtomicUsize::new(0)));
        let asks = Arc::clone(&asked);
        let probe = UnknownOutcome::probe(move |message| {
            assert_eq!(message.progress.unknown, 1);
            asks.fetch_add(1, Ordering::SeqCst);
            async move { says }
        });
        let lane = Lane::new(&integration("mailer", &script)).unknown_outcome(probe);
        let state = run(lane).end_of(mail("1")).await;
        assert_eq!(
            matches!(state, TicketState::Delivered { .. }),
            is_delivered,
            "{says:?} {state:?}"
        );
        assert_eq!((script.requests().len(), asked.load(Ordering::SeqCst)), (sent, 1), "{says:?}");
    }
    let script = lost();
    let probe = UnknownOutcome::probe(|_| async { panic!("it fails") });
    let lane = Lane::new(&integration("mailer", &script)).unknown_outcome(probe);
    assert_eq!(run(lane).end_of(mail("1")).await, parked());
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_not_answered_parks_the_message() {
    let probe = UnknownOutcome::probe(|_| std::future::pending());
    let lane = Lane::new(&integration("mailer", &lost())).unknown_outcome(probe);
    let running = run(lane);
    let ticket = running.enqueue(mail("1")).await;
    assert_eq!(running.outbox.wait(ticket.id, secs(600)).await.unwrap(), parked());
}
