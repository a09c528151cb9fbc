//! Clocks that differ.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request};
use outrigger::Body;
use outrigger::event::Event;
use outrigger::retry::RetryOverride;
use outrigger::sign::{SignLayer, Signed, SigningInput};
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};

use crate::bench::{Bench, Counter, checking, noon, post, secs, signer};

fn skews(bench: &Bench) -> Vec<(i64, bool)> {
    let of = |event: &Event| match *event {
        Event::ClockSkewed { ahead, may_repeat } => Some((ahead, may_repeat)),
        _ => None,
    };
    bench.events.events().iter().filter_map(of).collect()
}

async fn status(bench: &Bench) -> u16 {
    bench.shop.send(post("an order")).await.unwrap().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_ten_minutes_wrong_costs_one_request_of_any_method() {
    for ahead in [600, -600] {
        let theirs = moved(ahead);
        let bench = Bench::with(checking(move || theirs), SignLayer::new(signer()), |shop| {
            shop.without_retry()
        });
        assert_eq!((status(&bench).await, bench.provider.begun()), (200, 2));
        assert_eq!((status(&bench).await, bench.provider.begun()), (200, 3));
        assert_eq!(skews(&bench), [(ahead, true)]);
        assert_eq!(bench.shop.health().signing.unwrap().clock_ahead, ahead);

        // Somebody sets our clock.
        bench.clock.set(theirs);
        assert_eq!((status(&bench).await, bench.provider.begun()), (200, 5));
        assert_eq!(skews(&bench), [(ahead, true), (0, true)]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_counts_as_no_attempt_and_costs_no_budget() {
    // Refused for the clock, then a failure: user_flow has two attempts.
    let mut begun = 0;
    let provider = Script::by(move |_| {
        begun += 1;
        match begun {
            1 => Answer::status(403).header("date", &date(600)),
            2 => Answer::status(503),
            _ => Answer::status(200),
        }
    });
    let bench = Bench::new(provider, Counter::default());
    let saved = bench.shop.health().retries_saved;
    let request = Request::get("http://shop.test/").body(Body::empty()).unwrap();
    assert_eq!(bench.shop.send(request).await.unwrap().status(), 200);
    assert_eq!(bench.provider.begun(), 3);
    assert_eq!(bench.shop.health().retries_saved, saved.map(|saved| saved - 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_once_and_not_if_that_would_not_help() {
    for (status_code, ahead, begun, told) in [
        (401, Some(600), 2, vec![(600, true)]),
        (403, Some(-600), 2, vec![(-600, true)]),
        // Not five minutes; no date; no refusal; more than a day.
        (401, Some(300), 1, vec![]),
        (401, None, 1, vec![]),
        (404, Some(600), 1, vec![]),
        (200, Some(600), 1, vec![]),
        (403, Some(86_401), 1, vec![(86_401, false)]),
        (403, Some(-86_401), 1, vec![(-86_401, false)]),
    ] {
        let answer = Answer::status(status_code);
        let answer = match ahead {
            Some(ahead) => answer.header("date", &date(ahead)),
            None => answer,
        };
        let bench = Bench::new(Script::new([answer]), Counter::default());
        assert_eq!(status(&bench).await, status_code);
        assert_eq!(
            (bench.provider.begun(), skews(&bench)),
            (begun, told),
            "{status_code} {ahead:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn dates_that_are_none_are_ignored() {
    for date in ["", "now", "Sun, 06 Nov 1994", "9999999999999999999", "\u{e9}"] {
        let answer = Answer::status(401).header("date", date);
        let bench = Bench::new(Script::new([answer]), Counter::default());
        assert_eq!((status(&bench).await, bench.provider.begun()), (401, 1), "{date}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_may_say_it_in_a_way_of_its_own() {
    for (ahead, begun) in [(30, 2), (-2, 2), (1, 1)] {
        let answer =
            Answer::status(400).header("x-error", "timestamp").header("date", &date(ahead));
        let layer = SignLayer::new(Counter::default())
            .skewed_when(|head| head.headers.get("x-error").is_some_and(|why| why == "timestamp"));
        let bench = Bench::with(Script::new([answer]), layer, |shop| shop);
        assert_eq!((status(&bench).await, bench.provider.begun()), (400, begun), "{ahead}");
    }
    let answer = Answer::status(400).header("date", &date(30));
    let layer = SignLayer::new(Counter::default()).skewed_when(|_| panic!("it is broken"));
    let bench = Bench::with(Script::new([answer]), layer, |shop| shop);
    assert_eq!((status(&bench).await, bench.provider.begun()), (400, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_blamed_for_the_clock() {
    let theirs = moved(600);
    let layer = SignLayer::new(signer());
    let bench = Bench::with(checking(move || theirs), layer, |shop| {
        shop.token(TokenLayer::new(|_| async { Ok(Token::new("t1")) }))
    });
    assert_eq!((status(&bench).await, bench.provider.begun()), (200, 2));
    assert_eq!(bench.events.count(|event| matches!(event, Event::TokenRefused { .. })), 0);
    assert_eq!(bench.shop.token().unwrap().generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_forbids_repetitions_gets_the_answer_and_the_next_call_is_right() {
    let theirs = moved(600);
    let bench = Bench::new(checking(move || theirs), signer());
    let mut request = post("an order");
    request.extensions_mut().insert(RetryOverride::Never);
    assert_eq!(bench.shop.send(request).await.unwrap().status(), 401);
    assert_eq!((status(&bench).await, bench.provider.begun()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn each_integration_knows_its_own_provider() {
    let theirs = moved(600);
    let layer = SignLayer::new(signer());
    let first = Bench::with(checking(move || theirs), layer.clone(), |shop| shop);
    let second = Bench::with(checking(noon), layer, |shop| shop);
    assert_eq!((status(&first).await, first.provider.begun()), (200, 2));
    assert_eq!((status(&second).await, second.provider.begun()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn a_time_before_1970_is_no_trouble() {
    let signer = |input: &SigningInput| {
        let time = HeaderValue::from(input.unix_seconds());
        Ok(Signed::new(HeaderMap::from_iter([(http::header::AGE, time)])))
    };
    let bench = Bench::new(Script::new([Answer::status(200)]), signer);
    bench.clock.set(std::time::SystemTime::UNIX_EPOCH - Duration::from_secs(5));
    assert_eq!(status(&bench).await, 200);
    assert_eq!(bench.provider.requests()[0].headers()["age"], "0");
}

fn moved(ahead: i64) -> std::time::SystemTime {
    match u64::try_from(ahead) {
        Ok(ahead) => noon() + secs(ahead),
        Err(_) => noon() - secs(ahead.unsigned_abs()),
    }
}

fn date(ahead: i64) -> String {
    httpdate::fmt_http_date(moved(ahead))
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_does_not_help_is_taken_back() {
    // Permission is missing, and a proxy's clock is wrong.
    let provider = Script::new([Answer::status(403).header("date", &date(600))]);
    let bench = Bench::new(provider, Counter::default());
    assert_eq!((status(&bench).await, bench.provider.begun()), (403, 2));
    assert_eq!(bench.shop.health().signing.unwrap().clock_ahead, 0);
}

#[tokio::test(start_paused = true)]
async fn the_date_of_a_stored_answer_says_nothing_of_the_clock() {
    let answer = Answer::status(403).header("date", &date(-3600)).header("age", "3600");
    let bench = Bench::new(Script::new([answer]), Counter::default());
    assert_eq!((status(&bench).await, bench.provider.begun()), (403, 1));
    assert_eq!(skews(&bench), []);
}
