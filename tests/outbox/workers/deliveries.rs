use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use outrigger::context::{CorrelationId, Scope, TraceContext};
use outrigger::fallback::FallbackLayer;
use outrigger::outbox::{By, DeadReason, Filter, Lane, Page, Selection, TicketState};
use outrigger::redact::StandardRedactor;
use outrigger::rt::Clock;
use outrigger::sign::{SignError, SignLayer, Signed, SigningInput};
use outrigger::testing::{Answer, Script};
use tokio::time::Instant;

use super::bench::{bodies, builder, integration, mail, memory, provider, run, secs, sleep, start};

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_with_its_key_its_bytes_and_the_ids_of_its_origin() {
    let script = provider([Answer::status(201).body("made").header("x-request-id", "far-1")]);
    let running = run(&integration("mailer", &script));
    let trace = TraceContext::new([7; 16], [3; 8], true).unwrap();
    let scope = Scope::new().correlation_id(CorrelationId::new("order-7").unwrap()).trace(trace);
    let message =
        scope.run_now(|| mail("hello").header("content-type", "text/plain").keep_answer(9));
    let ticket = running.enqueue(message).await;
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    let TicketState::Delivered { status: Some(201), answer: Some(answer) } = state else {
        panic!("{state:?}");
    };
    assert_eq!(&answer.body[..], b"made");
    let requests = script.requests();
    assert_eq!(requests.len(), 1);
    let headers = requests[0].headers();
    assert_eq!(&requests[0].body()[..], b"hello");
    assert_eq!(headers["idempotency-key"], ticket.idempotency_key);
    assert_eq!(headers["content-type"], "text/plain");
    assert_eq!(headers["x-request-id"], "order-7");
    assert!(headers["traceparent"].to_str().unwrap().contains(&"07".repeat(16)));
    let attempts = running.history(ticket.id).await.attempts;
    assert_eq!((attempts.len(), attempts[0].status), (1, Some(201)));
    assert_eq!(attempts[0].request_id.as_deref(), Some("far-1"));
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_by_the_schedule_with_one_key() {
    let began = Instant::now();
    let script = provider([500, 503, 500, 200].map(Answer::status));
    let running = run(&integration("mailer", &script));
    let ticket = running.enqueue(mail("1")).await;
    let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { status: Some(200), .. }), "{state:?}");
    // 1 s, 5 s and 30 s, each ± 10 %.
    let took = began.elapsed().as_secs_f64();
    assert!((32.0..41.0).contains(&took), "{took}");
    let keys: Vec<_> = script
        .requests()
        .iter()
        .map(|request| request.headers()["idempotency-key"].clone())
        .collect();
    assert!(keys.iter().all(|key| *key == ticket.idempotency_key) && keys.len() == 4);
    let outcomes = running.outcomes(ticket.id).await;
    assert_eq!(outcomes, ["retryable", "retryable", "retryable", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_provider_asks_for_is_kept() {
    let began = Instant::now();
    let script = provider([Answer::status(500).header("retry-after", "100"), Answer::status(200)]);
    let running = run(&integration("mailer", &script));
    running.end_of(mail("1")).await;
    assert!(began.elapsed() >= secs(100));
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_refuses_for_good_is_parked_and_can_be_sent_again() {
    let script = provider([422, 200].map(Answer::status));
    let running = run(&integration("mailer", &script));
    let ticket = running.enqueue(mail("1")).await;
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    let parked = TicketState::Parked { why: DeadReason::Rejected, replaced_by: None };
    assert_eq!(state, parked);
    let dead = running.outbox.browse(Filter::dead(), Page::first(9)).await.unwrap();
    assert_eq!((dead.len(), dead[0].last_status), (1, Some(422)));
    assert_eq!(dead[0].last_error.as_deref(), Some("client_error"));

    let by = By { who: "ada", why: "they fixed it" };
    running.outbox.replay(Selection::One(ticket.id), by).await.unwrap();
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_given_up_at_its_deadline() {
    let script = provider([Answer::status(500)]);
    let running = run(&integration("mailer", &script));
    let state = running.end_of(mail("1").deadline(secs(120))).await;
    assert_eq!(state, TicketState::Parked { why: DeadReason::Expired, replaced_by: None });
    assert_eq!(script.requests().len(), 4, "the next would be 5 minutes later");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_parked_at_once() {
    let script = provider([Answer::status(200)]);
    let crm =
        builder("crm").base_url("https://crm.example").service(script.clone()).build().unwrap();
    let running = run(&crm);
    let state = running.end_of(mail("to another origin")).await;
    assert_eq!(state, TicketState::Parked { why: DeadReason::Rejected, replaced_by: None });
    assert!(script.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_a_fallback_delivers_nothing() {
    let script = provider([500, 200].map(Answer::status));
    let crm = builder("crm")
        .fallback(FallbackLayer::value(http::Response::new("later")))
        .service(script.clone())
        .build()
        .unwrap();
    let running = run(&crm);
    let ticket = running.enqueue(mail("1")).await;
    running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert_eq!(running.outcomes(ticket.id).await, ["retryable", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_settling_function_that_fails_is_repeated_without_another_call() {
    let script = provider([Answer::status(200).body("charged")]);
    let mut left = 2;
    let seen = std::sync::Mutex::new(Vec::new());
    let settle = std::sync::Mutex::new(move |body: &[u8]| {
        seen.lock().unwrap().push(body.to_vec());
        left -= 1;
        if left >= 0 { Err("the database is away".into()) } else { Ok(()) }
    });
    let outbox = memory()
        .lane(&integration("mailer", &script))
        .on_delivered("mailer", move |_, answer| settle.lock().unwrap()(&answer.body))
        .build()
        .unwrap();
    let running = start(outbox);
    let ticket = running.enqueue(mail("1")).await;
    sleep(60).await;
    assert_eq!(running.outcomes(ticket.id).await, ["hook_failed", "hook_failed", "delivered"]);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_says_where_its_message_stands() {
    let script = Script::by(|request| match &request.body()[..] {
        b"slow" => {
            Answer::status(200).header("content-type", "text/plain").body("made").after(secs(10))
        }
        _ => Answer::status(500),
    });
    let running = run(Lane::new(&integration("mailer", &script)).call_limit(secs(30)));
    let slow = running.enqueue(mail("slow").keep_answer(99)).await;
    let fails = running.enqueue(mail("fails")).await;
    let later = running.enqueue(mail("later").not_before(secs(900))).await;
    sleep(5).await;
    let ticket = async |id| running.outbox.ticket(id).await.unwrap();
    assert_eq!(ticket(slow.id).await, TicketState::Sending);
    let now = running.outbox.store().now().await.unwrap();
    let state = ticket(fails.id).await;
    assert!(
        matches!(state, TicketState::Accepted { attempts: 2, next_at } if next_at > now),
        "{state:?}"
    );
    let place = HeaderValue::from_static("/tickets/7");
    let response = ticket(later.id).await.to_response(&place, now);
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(
        (&response.headers()["retry-after"], &response.headers()["location"]),
        (&"60".parse().unwrap(), &place)
    );
    sleep(6).await;
    let response = ticket(slow.id).await.to_response(&place, now);
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"made"[..]));
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert!(!response.headers().contains_key("retry-after"));
    // It ends with the state.
    let state = running.outbox.wait(later.id, secs(2)).await.unwrap();
    assert!(matches!(state, TicketState::Accepted { attempts: 0, .. }), "{state:?}");
    let unknown = "0190a6f0-0000-7000-8000-000000000000".parse().unwrap();
    assert_eq!(ticket(unknown).await, TicketState::Unknown);
    assert_eq!(ticket(unknown).await.to_response(&place, now).status(), StatusCode::GONE);
    assert_eq!(bodies(&script)[0], "slow");
}

#[tokio::test(start_paused = true)]
async fn a_person_sees_a_dead_letter_without_its_secrets() {
    let script = provider([Answer::status(422).body(r#"{"error":{"email":"ada@example.com"}}"#)]);
    let running = run(&integration("mailer", &script));
    let message = mail(r#"{"to":"ada@example.com","card":"4111111111111111"}"#)
        .header("content-type", "application/json")
        .header("x-api-key", "very-secret")
        .keep_answer(1_000);
    let ticket = running.enqueue(message).await;
    running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    let dead = running.history(ticket.id).await.message;
    let shown = dead.shown(&StandardRedactor::new());
    assert_eq!((shown.method.as_str(), shown.answer.as_ref().unwrap().status), ("POST", 422));
    for text in [format!("{shown:?}"), format!("{dead:?}")] {
        for secret in ["ada@", "4111", "very-secret"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    assert!(shown.body.unwrap().contains("card"), "its structure is shown");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_a_message_to_wait_for_a_month_is_asked_within_the_hour() {
    let month = Answer::status(503).header("retry-after", "2592000");
    let running = run(&integration("mailer", &provider([month, Answer::status(200)])));
    let began = Instant::now();
    let state = running.end_of(mail("1")).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert!(began.elapsed() >= secs(3600) && began.elapsed() < secs(3700), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn each_delivery_is_signed_anew_over_the_same_bytes() {
    let clock = Clock::anchored(SystemTime::UNIX_EPOCH + secs(1_800_000_000));
    let signer = |input: &SigningInput| {
        let text = format!("{} {:?}", input.unix_seconds(), input.body.whole()?);
        let value = HeaderValue::try_from(text).map_err(|_| SignError::new("no text"))?;
        Ok(Signed::new(HeaderMap::from_iter([(HeaderName::from_static("x-signature"), value)])))
    };
    let script = provider([500, 503, 200].map(Answer::status));
    let signs = builder("mailer").service(script.clone()).sign(SignLayer::new(signer).clock(clock));
    let running = run(&signs.build().unwrap());
    let state = running.end_of(mail("hello")).await;
    assert!(matches!(state, TicketState::Delivered { status: Some(200), .. }), "{state:?}");
    let requests = script.requests();
    let signatures: Vec<_> =
        requests.iter().map(|request| request.headers()["x-signature"].to_str().unwrap()).collect();
    let times = signatures.iter().map(|text| text.strip_suffix(" b\"hello\"").expect("its bytes"));
    let times: Vec<u64> = times.map(|time| time.parse().unwrap()).collect();
    // 1 s and 5 s, each ± 10 %.
    assert!(times.len() == 3 && times[0] == 1_800_000_000 && times[2] >= times[0] + 5, "{times:?}");
}
