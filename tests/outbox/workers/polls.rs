use outrigger::outbox::{DeadReason, Lane, Message, Polled, Polling, TicketState};
use outrigger::testing::{Answer, Script};
use tokio::time::Instant;

use super::bench::{builder, integration, mail, provider, run, secs, sleep};

fn lane(script: &Script, polling: Polling) -> Lane {
    Lane::new(&integration("mailer", script)).polling(polling)
}

fn accepted() -> Answer {
    Answer::status(202).header("location", "/jobs/7").header("retry-after", "3")
}

#[tokio::test(start_paused = true)]
async fn an_accepted_job_is_asked_for_until_it_is_done() {
    let began = Instant::now();
    let goes_on = Answer::status(202).header("retry-after", "10");
    let script = provider([accepted(), goes_on, Answer::status(200).body("result")]);
    let running = run(lane(&script, Polling::new()));
    let ticket = running.enqueue(mail("1").max_attempts(1).keep_answer(99)).await;
    sleep(1).await;
    let state = running.outbox.ticket(ticket.id).await.unwrap();
    assert!(matches!(state, TicketState::Polling { .. }), "{state:?}");
    let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
    let TicketState::Delivered { status: Some(200), answer: Some(answer) } = state else {
        panic!("{state:?}");
    };
    assert_eq!(&answer.body[..], b"result");
    assert!(began.elapsed() >= secs(13));
    let asked: Vec<_> =
        script.requests().iter().map(|it| (it.method().clone(), it.uri().to_string())).collect();
    let job = "https://api.mailer.example/jobs/7".to_owned();
    assert_eq!(asked[0].0, "POST");
    assert_eq!(asked[1..], [(http::Method::GET, job.clone()), (http::Method::GET, job)]);
    assert!(!script.requests()[1].headers().contains_key("idempotency-key"));
    assert_eq!(running.outcomes(ticket.id).await, ["accepted", "accepted", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_parked_and_an_error_while_asking_is_not() {
    let script = provider([
        accepted(),
        Answer::status(500),
        Answer::broken(std::io::ErrorKind::ConnectionReset),
        Answer::status(200).body("failed"),
    ]);
    let polling = Polling::new().every(secs(2)).ended(|answer| match &answer.body[..] {
        b"failed" => Polled::Failed,
        _ => Polled::Running,
    });
    let running = run(lane(&script, polling));
    let ticket = running.enqueue(mail("1").max_attempts(1)).await;
    let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
    assert_eq!(state, TicketState::Parked { why: DeadReason::Rejected, replaced_by: None });
    assert_eq!(script.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_asked_for_until_the_deadline() {
    let script = provider([accepted()]);
    let running = run(lane(&script, Polling::new()));
    let state = running.end_of(mail("1").deadline(secs(60))).await;
    assert_eq!(state, TicketState::Parked { why: DeadReason::Expired, replaced_by: None });
    assert!((15..=21).contains(&script.requests().len()), "{}", script.requests().len());
}

#[tokio::test(start_paused = true)]
async fn where_to_ask_may_stand_in_the_body() {
    let script = provider([
        Answer::status(202).body(r#"{"job":{"url":"https://api.mailer.example/jobs/9"}}"#),
        Answer::status(200),
    ]);
    let running = run(lane(&script, Polling::new().body_pointer("/job/url")));
    running.end_of(mail("1")).await;
    assert_eq!(script.requests()[1].uri(), "https://api.mailer.example/jobs/9");
}

#[tokio::test(start_paused = true)]
async fn an_accepted_job_is_a_success_if_the_lane_does_not_poll_or_nothing_says_where() {
    for polling in [None, Some(Polling::new())] {
        let is_polled = polling.is_some();
        let answer = if is_polled { Answer::status(202) } else { accepted() };
        let script = provider([answer]);
        let lane = Lane::new(&integration("mailer", &script));
        let lane = match polling {
            Some(polling) => lane.polling(polling),
            None => lane,
        };
        let state = run(lane).end_of(mail("1")).await;
        assert!(matches!(state, TicketState::Delivered { status: Some(202), .. }), "{state:?}");
        assert_eq!(script.requests().len(), 1);
    }
}

/// Where the first message is asked for, if it is, and what becomes of it.
async fn asked(
    base: Option<&str>,
    sent: &'static str,
    location: &str,
) -> (Option<String>, TicketState) {
    let script = provider([
        Answer::status(202).header("location", location).header("retry-after", "3"),
        Answer::status(200),
    ]);
    let mailer = builder("mailer").service(script.clone());
    let mailer = match base {
        Some(base) => mailer.base_url(base).allow_origin("https://jobs.mailer.example"),
        None => mailer,
    };
    let running = run(Lane::new(&mailer.build().unwrap()).polling(Polling::new()));
    let state = running.end_of(Message::post(sent).body("1")).await;
    (script.requests().get(1).map(|request| request.uri().to_string()), state)
}

#[tokio::test(start_paused = true)]
async fn where_to_ask_is_relative_to_what_was_sent() {
    let base = Some("https://api.mailer.example/v1");
    let sent = "https://api.mailer.example/v1/mails";
    for (base, sent, location) in [
        (None, sent, "jobs/7"),
        (None, sent, "/v1/jobs/7"),
        (None, sent, "../v1/./jobs/7"),
        (None, sent, "//api.mailer.example/v1/jobs/7"),
        (base, "/mails", "/v1/jobs/7"),
        (base, "/mails", "jobs/7"),
        (base, sent, "https://api.mailer.example:443/v1/jobs/7"),
    ] {
        let (asked, state) = asked(base, sent, location).await;
        let asked = asked.map(|uri| uri.replace(":443", ""));
        assert_eq!(asked.as_deref(), Some("https://api.mailer.example/v1/jobs/7"), "{location}");
        assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    }
    let (asked, _) = asked(base, "/mails", "https://jobs.mailer.example/7").await;
    assert_eq!(asked.as_deref(), Some("https://jobs.mailer.example/7"));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_be_asked_for_is_parked_and_no_other_origin_is_asked() {
    let sent = "https://api.mailer.example/v1/mails";
    for location in ["https://evil.example/jobs/7", "http://api.mailer.example/7", "a b", "urn:7"] {
        let (asked, state) = asked(None, sent, location).await;
        assert_eq!(asked, None, "{location}");
        let why = DeadReason::UnknownOutcome;
        assert_eq!(state, TicketState::Parked { why, replaced_by: None }, "{location}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_to_ask_may_have_signs_that_no_uri_has_and_no_credentials() {
    let script = provider([
        Answer::status(202).header("location", "/jobs/{8a1f}?of=\"1\""),
        Answer::status(200),
    ]);
    let state = run(lane(&script, Polling::new())).end_of(mail("1")).await;
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(script.requests()[1].uri(), "https://api.mailer.example/jobs/%7B8a1f%7D?of=%221%22");

    // What can't be asked may be done.
    let script = provider([
        Answer::status(202).header("location", "https://ada:secret@api.mailer.example/jobs/7"),
        Answer::status(200),
    ]);
    let state = run(lane(&script, Polling::new())).end_of(mail("1")).await;
    assert_eq!(state, TicketState::Parked { why: DeadReason::UnknownOutcome, replaced_by: None });
    assert_eq!(script.requests().len(), 1);
}
