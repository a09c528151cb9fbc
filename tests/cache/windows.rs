//! Staleness: while it is revalidated, and instead of an error.

use std::time::Duration;

use http::{Method, Request};
use outrigger::cache::{CacheLayer, CacheOutcome, CacheWindows};
use outrigger::context::PathTemplate;
use outrigger::event::Event;
use outrigger::outcome::Class;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Body, Integration};

use super::origin::{
    Got, RATE, ask, cached, fresh, get, integration, is, layer, request, send, wait,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_given_at_once_and_fetched_anew() {
    let provider = Script::new([
        cached("a", "max-age=10, stale-while-revalidate=30"),
        fresh("b").after(SECOND * 2),
    ]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(12).await;
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        let stale = ask(&rates).await;
        is(&stale, CacheOutcome::StaleWhileRevalidate, "a");
        assert_eq!(
            stale.header("cache-status"),
            "outrigger; hit; ttl=-2; detail=stale-while-revalidate"
        );
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    wait(3).await;
    is(&ask(&rates).await, CacheOutcome::Hit, "b");
    assert_eq!(provider.requests().len(), 2, "one refresh for three calls");
}

#[tokio::test(start_paused = true)]
async fn past_its_window_a_call_waits_for_the_new_answer() {
    let provider = Script::new([cached("a", "max-age=10, stale-while-revalidate=30"), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(40).await;
    is(&ask(&rates).await, CacheOutcome::Miss, "b");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_is_repeated_with_a_back_off_and_not_with_each_call() {
    let provider = Script::by({
        let mut first = true;
        move |_| match std::mem::take(&mut first) {
            true => cached("a", "max-age=1, stale-while-revalidate=3600"),
            false => Answer::status(503),
        }
    });
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(2).await;
    for _ in 0..600 {
        is(&ask(&rates).await, CacheOutcome::StaleWhileRevalidate, "a");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let asked = provider.requests().len();
    assert!((8..60).contains(&asked), "{asked} requests in 300 s");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_has_the_attempts_limit_and_ends_with_its_integration() {
    let events = EventRecorder::new();
    let hangs =
        || Script::new([cached("a", "max-age=1, stale-while-revalidate=3600"), Answer::hang()]);
    let build = |provider: &Script| {
        Integration::user_flow("rates")
            .cache(layer())
            .subscriber(events.clone())
            .service(provider.clone())
            .build()
            .unwrap()
    };
    let refreshed = || events.count(|event| matches!(event, Event::CacheRefreshed { ok: false }));
    let rates = build(&hangs());
    ask(&rates).await;
    wait(2).await;
    ask(&rates).await;
    wait(2).await;
    assert_eq!(refreshed(), 0);
    wait(2).await;
    assert_eq!(refreshed(), 1);
    let rates = build(&hangs());
    ask(&rates).await;
    wait(2).await;
    ask(&rates).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    drop(rates);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(refreshed(), 2);
}

/// What is given for a stale answer with this directive, if the provider then answers so.
async fn after(control: &str, layer: CacheLayer, answer: Answer) -> Result<Got, outrigger::Error> {
    let provider = Script::new([cached("a", control), answer]);
    let rates = integration(layer, &provider);
    ask(&rates).await;
    wait(20).await;
    send(&rates, get(RATE)).await
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_stands_in_for_errors_by_its_own_window() {
    let control = "max-age=10, stale-if-error=60";
    for status in [500, 502, 503, 504] {
        let got = after(control, layer(), Answer::status(status)).await.unwrap();
        is(&got, CacheOutcome::StaleIfError, "a");
        let told =
            format!("outrigger; fwd=stale; fwd-status={status}; ttl=-10; detail=stale-if-error");
        assert_eq!(got.header("cache-status"), told);
    }
    for broken in [
        Answer::refused(),
        Answer::dns_failure(),
        Answer::hang(),
        Answer::broken(std::io::ErrorKind::ConnectionReset),
    ] {
        is(&after(control, layer(), broken).await.unwrap(), CacheOutcome::StaleIfError, "a");
    }
    for status in [400, 401, 403, 404, 410, 429, 501] {
        let got = after(control, layer(), Answer::status(status)).await.unwrap();
        assert_eq!((got.outcome(), got.head.status().as_u16()), (CacheOutcome::Miss, status));
    }
}

#[tokio::test(start_paused = true)]
async fn past_its_window_or_where_it_is_forbidden_the_error_is_given() {
    for control in [
        "max-age=10",
        "max-age=10, stale-if-error=10",
        "max-age=10, stale-if-error=60, must-revalidate",
        "max-age=10, stale-if-error=60, no-cache",
    ] {
        let got = after(control, layer(), Answer::status(503)).await.unwrap();
        assert_eq!(got.head.status(), 503, "{control}");
        assert!(after(control, layer(), Answer::refused()).await.is_err(), "{control}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_settings_lend_windows_to_providers_that_name_none() {
    let lent = || {
        layer()
            .fresh_for(SECOND * 5)
            .stale_while_revalidate(SECOND * 10)
            .stale_if_error(SECOND * 100)
    };
    let provider =
        Script::new([Answer::status(200).body("a"), Answer::status(429), Answer::refused()]);
    let rates = integration(lent(), &provider);
    is(&ask(&rates).await, CacheOutcome::Miss, "a");
    wait(4).await;
    is(&ask(&rates).await, CacheOutcome::Hit, "a");
    wait(8).await;
    is(&ask(&rates).await, CacheOutcome::StaleWhileRevalidate, "a");
    wait(60).await;
    is(&ask(&rates).await, CacheOutcome::StaleIfError, "a");
    wait(60).await;
    assert!(send(&rates, get(RATE)).await.is_err());
    // An error has no lifetime lent to it.
    let provider = Script::new([Answer::status(404), Answer::status(404)]);
    let rates = integration(lent(), &provider);
    ask(&rates).await;
    is(&ask(&rates).await, CacheOutcome::Miss, "");
}

#[tokio::test(start_paused = true)]
async fn a_429_is_an_error_by_the_settings_alone_and_they_can_say_otherwise() {
    let set = || layer().stale_if_error(SECOND * 60);
    is(
        &after("max-age=10", set(), Answer::status(429)).await.unwrap(),
        CacheOutcome::StaleIfError,
        "a",
    );
    let only = set().stale_when(|class| class == Class::Throttled);
    assert_eq!(after("max-age=10", only, Answer::status(503)).await.unwrap().head.status(), 503);
    let panics = set().stale_when(|_| panic!("it panics"));
    is(
        &after("max-age=10", panics, Answer::status(503)).await.unwrap(),
        CacheOutcome::StaleIfError,
        "a",
    );
}

#[tokio::test(start_paused = true)]
async fn a_template_has_windows_of_its_own() {
    let provider = Script::new([Answer::status(200).body("a"), Answer::status(200).body("b")]);
    let lent =
        layer().fresh_for(SECOND).template("/{rate}", CacheWindows::new().fresh_for(SECOND * 60));
    let rates = integration(lent, &provider);
    let templated = || {
        let mut request: Request<Body> = get(RATE);
        request.extensions_mut().insert(PathTemplate::new("/{rate}"));
        request
    };
    send(&rates, templated()).await.unwrap();
    wait(10).await;
    is(&send(&rates, templated()).await.unwrap(), CacheOutcome::Hit, "a");
    is(&ask(&rates).await, CacheOutcome::Miss, "b");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_no_reason_for_an_error() {
    let provider = Script::by({
        let mut first = true;
        move |_| match std::mem::take(&mut first) {
            true => cached("a", "max-age=1, stale-if-error=7200"),
            false => Answer::status(503),
        }
    });
    let rates = Integration::user_flow("rates")
        .cache(layer())
        .breaker(|breaker| breaker.failures(2).without_consecutive())
        .service(provider)
        .build()
        .unwrap();
    ask(&rates).await;
    wait(2).await;
    for _ in 0..60 {
        is(&ask(&rates).await, CacheOutcome::StaleIfError, "a");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_narrow_and_widen_what_they_accept() {
    for (control, outcome) in [
        ("max-age=10", CacheOutcome::Miss),
        ("min-fresh=50", CacheOutcome::Miss),
        ("no-cache", CacheOutcome::Miss),
        ("max-age=30", CacheOutcome::Hit),
        ("min-fresh=20", CacheOutcome::Hit),
        ("max-stale", CacheOutcome::Hit),
    ] {
        let provider = Script::new([fresh("a"), fresh("b")]);
        let rates = integration(layer(), &provider);
        ask(&rates).await;
        wait(20).await;
        let mut request = get(RATE);
        request.headers_mut().insert("cache-control", control.parse().unwrap());
        assert_eq!(send(&rates, request).await.unwrap().outcome(), outcome, "{control}");
    }
    let mut late = get(RATE);
    late.headers_mut().insert("cache-control", "max-stale=100".parse().unwrap());
    let provider = Script::new([fresh("a"), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(120).await;
    is(&send(&rates, late).await.unwrap(), CacheOutcome::StaleAccepted, "a");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_provider_asks_for_and_that_no_call_has_time_for_is_told_at_once() {
    let provider = Script::new([Answer::status(429).header("retry-after", "30")]);
    let rates = Integration::user_flow("rates").cache(layer()).service(provider).build().unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(ask(&rates).await.head.status(), 429);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_head_too_is_answered_by_a_stale_answer_in_place_of_an_error() {
    for failure in [Answer::status(503), Answer::refused()] {
        let provider = Script::new([cached("a", "max-age=10, stale-if-error=600"), failure]);
        let rates = integration(layer(), &provider);
        ask(&rates).await;
        wait(20).await;
        let got = send(&rates, request(Method::HEAD, RATE)).await.unwrap();
        is(&got, CacheOutcome::StaleIfError, "");
        assert_eq!(got.head.status(), 200);
    }
}
