//! What calls that wait for one fetch get of it, and how long it lasts.

use std::error::Error as _;
use std::time::Duration;

use http::{Request, Response};
use outrigger::cache::CacheOutcome;
use outrigger::context::CallDeadline;
use outrigger::fallback::{Failed, FallbackLayer};
use outrigger::testing::{Answer, Script};
use outrigger::validate::{Answered, Check, Finding, Prefix, ValidateLayer};
use outrigger::{Body, Delivery, Error, Integration};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::origin::{Got, RATE, cached, get, integration, is, layer, send};

const SECOND: Duration = Duration::from_secs(1);

/// These calls at a time.
async fn all(
    rates: &Integration,
    requests: impl IntoIterator<Item = Request<Body>>,
) -> Vec<Result<Got, Error>> {
    let mut calls = JoinSet::new();
    for request in requests {
        let rates = rates.clone();
        calls.spawn(async move { send(&rates, request).await });
    }
    calls.join_all().await
}

fn within(seconds: u64) -> Request<Body> {
    let mut request = get(RATE);
    request.extensions_mut().insert(CallDeadline::after(SECOND * u32::try_from(seconds).unwrap()));
    request
}

/// With retries, and none of the layers that limit calls.
fn retrying(provider: &Script) -> Integration {
    let builder = Integration::user_flow("rates").without_breaker().without_rate_limit();
    builder.cache(layer()).service(provider.clone()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn calls_do_not_queue_for_an_answer_that_is_stored_and_may_not_be_given_unconfirmed() {
    for control in ["no-cache", "max-age=0, private, must-revalidate"] {
        let provider =
            Script::by(move |_| cached("a", control).header("etag", "\"1\"").after(SECOND));
        let rates = integration(layer(), &provider);
        for (round, seconds) in [2, 1, 1].into_iter().enumerate() {
            let began = Instant::now();
            let got = all(&rates, (0..20).map(|_| get(RATE))).await;
            assert!(got.iter().all(|got| got.as_ref().is_ok_and(|got| got.text == "a")));
            assert_eq!(began.elapsed().as_secs(), seconds, "{control}, round {round}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_vary_make_one_request_for_each_kind() {
    let provider = Script::by(|seen| {
        let language = seen.headers()["accept-language"].to_str().unwrap().to_owned();
        cached("", "max-age=60").header("vary", "accept-language").body(language).after(SECOND)
    });
    let rates = integration(layer(), &provider);
    let languages = || (0..20).map(|number| ["en", "de"][number % 2]);
    let of = |language: &str| {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        request
    };
    let mut texts: Vec<_> =
        all(&rates, languages().map(of)).await.into_iter().map(|got| got.unwrap().text).collect();
    texts.sort();
    assert_eq!((texts[..10].concat(), texts[10..].concat()), ("de".repeat(10), "en".repeat(10)));
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_wait_passes_the_deadline_is_given_at_once() {
    let busy = || Answer::status(503).header("retry-after", "3");
    let provider = Script::new([busy(), cached("a", "max-age=60")]);
    let began = Instant::now();
    let got = send(&retrying(&provider), within(1)).await.unwrap();
    assert_eq!((got.head.status().as_u16(), began.elapsed()), (503, Duration::ZERO));
    // For one that waits longer, the fetch goes on.
    let slow = busy().after(SECOND / 10);
    let provider = Script::new([slow, cached("a", "max-age=60")]);
    let got = all(&retrying(&provider), [within(1), within(5)]).await;
    let [ref short, ref long] = got[..] else { panic!() };
    let (late, good) = if short.is_err() { (short, long) } else { (long, short) };
    assert!(late.as_ref().is_err_and(Error::is_timeout), "{late:?}");
    is(good.as_ref().unwrap(), CacheOutcome::Collapsed, "a");
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_runs_out_tells_what_its_fetch_has_come_to() {
    let provider = Script::new([Answer::status(503), Answer::hang()]);
    let error = send(&retrying(&provider), within(2)).await.unwrap_err();
    assert!(error.is_timeout() && error.delivery() == Delivery::Unknown, "{error}");
    assert_eq!(error.last_status().map(|status| status.as_u16()), Some(503));
    assert_eq!(error.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_a_fetch_that_fails_are_told_its_source() {
    let provider = Script::new([Answer::refused().after(SECOND)]);
    let got = all(&integration(layer(), &provider), (0..5).map(|_| get(RATE))).await;
    let sources: Vec<_> =
        got.iter().map(|got| got.as_ref().unwrap_err().source().map(ToString::to_string)).collect();
    assert!(
        sources[0].is_some() && sources.iter().all(|source| *source == sources[0]),
        "{sources:?}"
    );
    assert_eq!(provider.begun(), 1);
}

/// Finds that each answer is an error that passes.
struct Busy;

impl Check for Busy {
    fn name(&self) -> &'static str {
        "busy"
    }

    fn check(&self, _: &Answered<'_>, _: &Prefix<'_>) -> Finding {
        Finding::transient("busy")
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_a_fetch_that_fails_are_told_its_class() {
    let provider = Script::new([cached("busy", "max-age=60").after(SECOND)]);
    let by_class = |failed: &Failed| Some(Response::new(Body::from(failed.class.name())));
    let rates = Integration::user_flow("rates")
        .without_retry()
        .fallback(FallbackLayer::function(by_class))
        .validate(ValidateLayer::new().enforce(Busy))
        .cache(layer())
        .service(provider.clone())
        .build()
        .unwrap();
    let got = all(&rates, (0..5).map(|_| get(RATE))).await;
    let texts: Vec<_> = got.into_iter().map(|got| got.unwrap().text).collect();
    assert_eq!((texts, provider.begun()), (vec!["server_error".to_owned(); 5], 1));
}
