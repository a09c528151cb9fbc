//! What each verdict comes to: for the caller, retry, breaker, rate limit, token and fallback.

use http::Method;
use outrigger::event::{BreakerState, End, Event};
use outrigger::fallback::FallbackLayer;
use outrigger::outcome::Class;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};
use outrigger::validate::{FailedCheck, Finding, ValidateLayer, Verdict, function};
use outrigger::{Delivery, ErrorKind, Integration, IntegrationBuilder, ResponseExt};

use crate::bench::{Bench, always, enforced, failed, json, secs};

/// Finds what the body says.
fn by_the_body() -> ValidateLayer {
    enforced(function("word", |_, body| match body.bytes() {
        b"pass" => Finding::pass(),
        b"partial" => Finding::partial("half"),
        b"transient" => Finding::transient("later"),
        b"permanent" => Finding::permanent("never"),
        b"throttled" => Finding::throttled(Some(WAIT), "slower"),
        b"unauthorized" => Finding::unauthorized("who?"),
        _ => Finding::invalid("what?").at("/id"),
    }))
}

fn says(word: &'static str) -> Answer {
    Answer::status(200).body(word)
}

/// Without the rate limit, which lets no person wait.
fn unlimited(answers: [Answer; 2]) -> Bench {
    Bench::with(answers, by_the_body(), IntegrationBuilder::without_rate_limit)
}

fn class_of_attempt(bench: &Bench) -> Vec<Class> {
    let of = |event: Event| match event {
        Event::AttemptFinished {
            end: End::Answered { class, .. } | End::Failed { class, .. },
            ..
        } => Some(class),
        _ => None,
    };
    bench.events.events().into_iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn a_get_is_repeated_after_what_may_be_better_next_time_and_not_after_a_refusal() {
    for (word, requests, class) in [
        ("pass", 1, Class::Success),
        ("partial", 1, Class::Partial),
        ("permanent", 1, Class::ClientError),
        ("unauthorized", 1, Class::Unauthorized),
        ("transient", 2, Class::ServerError),
        ("throttled", 2, Class::Throttled),
        ("invalid", 2, Class::Invalid),
    ] {
        let bench = unlimited([says(word), says("pass")]);
        let answer = bench.get().await.unwrap();
        assert_eq!(bench.provider.begun(), requests, "{word}");
        assert_eq!(answer.text().await.unwrap(), if requests == 2 { "pass" } else { word });
        assert_eq!(class_of_attempt(&bench)[0], class, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_whose_answer_fails_its_check_is_sent_once_because_the_provider_may_have_acted() {
    for word in ["transient", "invalid", "throttled", "permanent", "unauthorized"] {
        let bench = Bench::new([says(word), says("pass")], by_the_body());
        let result = bench.send(Method::POST).await;
        assert_eq!(bench.provider.begun(), 1, "{word}");
        if let Err(error) = result {
            assert_eq!(error.delivery(), Delivery::Answered, "{word}");
        }
    }
    let bench = Bench::new([says("invalid"), says("pass")], by_the_body());
    let keyed = bench.api.post("http://api.test/orders").header("idempotency-key", "k1");
    assert_eq!(keyed.body("an order").send().await.unwrap().text().await.unwrap(), "pass");
    assert_eq!(bench.provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_no_use_is_an_error_that_names_the_check_and_nothing_of_the_body() {
    for (word, verdict, text) in [
        ("transient", Verdict::Transient, "word says transient of a 200: later"),
        ("s3cr3t", Verdict::Invalid, "word says invalid of a 200: what? (at /id)"),
    ] {
        let bench =
            Bench::with([says(word)], by_the_body(), outrigger::IntegrationBuilder::without_retry);
        let error = bench.get().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Invalid, Delivery::Answered));
        assert_eq!(error.last_status(), Some(http::StatusCode::OK));
        assert_eq!((failed(&error).check(), failed(&error).verdict()), ("word", verdict));
        assert_eq!(
            error.to_string(),
            format!("api: answer failed its check from api.test:80: {text}")
        );
        assert!(!format!("{error:?}{:?}", failed(&error)).contains("s3cr3t"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_why_it_was_refused_stays_one_until_the_caller_wants_an_error() {
    for (word, verdict) in [
        ("permanent", Verdict::Permanent),
        ("throttled", Verdict::Throttled),
        ("unauthorized", Verdict::Unauthorized),
    ] {
        let answer = Bench::new([says(word)], by_the_body()).send(Method::POST).await.unwrap();
        let found = answer.extensions().get::<FailedCheck>().map(FailedCheck::verdict);
        assert_eq!((answer.status().as_u16(), found), (200, Some(verdict)));
        let error = answer.error_for_status().unwrap_err();
        assert_eq!((error.kind(), failed(&error).verdict()), (ErrorKind::Invalid, verdict));
        assert_eq!(error.retry_after().is_some(), word == "throttled");
    }
    let answer = Bench::new([says("pass")], by_the_body()).get().await.unwrap();
    assert!(answer.error_for_status().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_status_says_that_it_failed_stays_an_answer_and_has_the_checks_class() {
    let bench = Bench::new([Answer::status(404).body("{}"), json("{}")], enforced(EveryStatus));
    // A 404 that the check calls the provider's failure is repeated as a 500 is.
    assert_eq!(bench.get().await.unwrap().status(), 200);
    let bench = Bench::new([Answer::status(404).body("{}")], enforced(EveryStatus));
    let answer = bench.get().await.unwrap();
    assert_eq!((answer.status().as_u16(), bench.provider.begun()), (404, 2));
    let error = answer.error_for_status().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Status(http::StatusCode::NOT_FOUND));
    assert_eq!(failed(&error).check(), "every");
}

/// Calls every answer but a 200 the provider's failure.
struct EveryStatus;

impl outrigger::validate::Check for EveryStatus {
    fn name(&self) -> &'static str {
        "every"
    }

    fn applies(&self, _: &outrigger::validate::Answered<'_>) -> bool {
        true
    }

    fn check(
        &self,
        answer: &outrigger::validate::Answered<'_>,
        _: &outrigger::validate::Prefix<'_>,
    ) -> Finding {
        if answer.status == 200 { Finding::pass() } else { Finding::transient("it is none") }
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_verdict_is_not_repeated_whatever_the_status_and_the_provider_say() {
    struct NoMoney;
    impl outrigger::validate::Check for NoMoney {
        fn name(&self) -> &'static str {
            "money"
        }

        fn applies(&self, answer: &outrigger::validate::Answered<'_>) -> bool {
            answer.status == 429
        }

        fn check(
            &self,
            _: &outrigger::validate::Answered<'_>,
            _: &outrigger::validate::Prefix<'_>,
        ) -> Finding {
            Finding::permanent("the account has no money")
        }
    }
    let broke = || Answer::status(429).header("x-should-retry", "true");
    let bench = Bench::new([broke(), json("{}")], enforced(NoMoney));
    assert_eq!(bench.get().await.unwrap().status(), 429);
    assert_eq!(bench.provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn throttling_in_a_body_waits_as_long_as_it_says_and_pauses_all_calls() {
    let bench = unlimited([says("throttled"), says("pass")]);
    let began = tokio::time::Instant::now();
    let answer = bench.get().await.unwrap();
    let waited = began.elapsed();
    assert!(waited >= WAIT && waited < 2 * WAIT, "{waited:?}");
    assert_eq!(answer.extensions().get::<Retries>().unwrap().attempts, 2);
    let bench = Bench::new([says("throttled")], by_the_body());
    bench.get().await.unwrap();
    let paused =
        |event: &Event| matches!(event, Event::RateLimitPaused { pause } if *pause == WAIT);
    // The first answer's, and the repeated call's.
    assert_eq!(bench.events.count(paused), 2);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_at_answers_that_lie_and_not_at_refusals() {
    for (word, state) in [
        ("transient", BreakerState::Open),
        ("invalid", BreakerState::Open),
        ("permanent", BreakerState::Closed),
        ("partial", BreakerState::Closed),
    ] {
        let bench =
            Bench::with([says(word)], by_the_body(), outrigger::IntegrationBuilder::without_retry);
        for _ in 0..30 {
            let _ = bench.get().await;
            tokio::time::sleep(secs(1)).await;
        }
        let is_closed = bench.api.breaker().state() == BreakerState::Closed;
        assert_eq!(is_closed, state == BreakerState::Closed, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_a_body_refuses_is_replaced_and_the_call_repeated_once() {
    let provider = Script::by(|request| match request.headers()["authorization"].to_str() {
        Ok("Bearer t2") => says("pass"),
        _ => says("unauthorized"),
    });
    let given = std::sync::atomic::AtomicU32::new(0);
    let tokens = TokenLayer::new(move |_| {
        let number = given.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        async move { Ok(Token::new(format!("t{number}")).expires_in(secs(3600))) }
    });
    let api = Integration::user_flow("api")
        .token(tokens)
        .validate(by_the_body())
        .service(provider.clone())
        .build()
        .unwrap();
    api.token().unwrap().ready().await.unwrap();
    tokio::time::sleep(secs(600)).await;
    let answer = api.get("http://api.test/orders").send().await.unwrap();
    assert_eq!((answer.text().await.unwrap(), provider.begun()), ("pass".to_owned(), 2));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_in_the_place_of_an_answer_that_lies() {
    let bench = Bench::with([says("invalid")], by_the_body(), |builder| {
        builder.fallback(FallbackLayer::value(http::Response::new("rates")))
    });
    assert_eq!(bench.get().await.unwrap().text().await.unwrap(), "rates");
}

#[tokio::test(start_paused = true)]
async fn checks_are_asked_in_order_up_to_the_first_that_rejects() {
    let first = function("first", |_, _| Finding::partial("half"));
    let second = function("second", |_, _| Finding::permanent("no"));
    let third = function("third", |_, _| panic!("it is asked in vain"));
    let layer = ValidateLayer::new().enforce(first).enforce(second).enforce(third);
    let bench = Bench::new([json("{}")], layer);
    let answer = bench.get().await.unwrap();
    let failed = answer.extensions().get::<FailedCheck>().unwrap();
    assert_eq!((failed.check(), failed.reason()), ("second", "no"));
    assert_eq!(bench.events.count(|event| matches!(event, Event::AnswerUnchecked { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_only_tells_changes_nothing() {
    for layer in [
        ValidateLayer::new().report(always(|| Finding::invalid("x"))),
        enforced(always(|| Finding::invalid("x"))).mode(outrigger::validate::Mode::ReportOnly),
    ] {
        let bench = Bench::new([json("{}")], layer);
        let answer = bench.get().await.unwrap();
        assert!(answer.extensions().get::<FailedCheck>().is_none());
        assert_eq!(answer.text().await.unwrap(), "{}");
        assert_eq!(bench.provider.begun(), 1);
        let told =
            Event::AnswerRejected { check: "always", verdict: Verdict::Invalid, enforced: false };
        assert_eq!(bench.events.count(|event| *event == told), 1);
        assert_eq!(class_of_attempt(&bench), [Class::Success]);
        assert_eq!(bench.api.validation().unwrap().rejected(), 1);
    }
    let off = enforced(always(|| Finding::invalid("x"))).mode(outrigger::validate::Mode::Off);
    let bench = Bench::new([json("{}")], off);
    assert!(bench.get().await.is_ok());
    assert_eq!(bench.api.validation().unwrap().rejected(), 0);
}

/// Short enough for a person's call.
const WAIT: std::time::Duration = std::time::Duration::from_millis(300);
