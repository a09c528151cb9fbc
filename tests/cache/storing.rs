//! What is stored, and what confirms it.

use http::{Method, Response};
use outrigger::cache::{CacheOutcome, CachePolicy};
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Delivery, Integration};

use super::origin::{RATE, ask, cached, fresh, get, integration, is, layer, request, send, wait};

#[tokio::test(start_paused = true)]
async fn a_fresh_answer_is_given_without_a_request_and_says_how_old_it_is() {
    let provider = Script::new([fresh("1.1"), fresh("1.2")]);
    let rates = integration(layer(), &provider);
    let first = ask(&rates).await;
    assert_eq!((first.outcome(), first.text.as_str()), (CacheOutcome::Miss, "1.1"));
    assert_eq!(first.header("cache-status"), "outrigger; fwd=uri-miss");
    wait(20).await;
    let second = ask(&rates).await;
    assert_eq!((second.outcome(), second.text.as_str()), (CacheOutcome::Hit, "1.1"));
    assert_eq!(
        (second.header("age"), second.header("cache-status")),
        ("20", "outrigger; hit; ttl=40")
    );
    wait(40).await;
    assert_eq!(ask(&rates).await.text, "1.2");
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_304_that_forbids_storing_changes_nothing_that_is_stored() {
    let stored = cached("a", "max-age=10").header("etag", "\"a\"").header("x", "old");
    let confirmed = Answer::status(304)
        .header("etag", "\"a\"")
        .header("cache-control", "no-store")
        .header("x", "new");
    let provider = Script::new([stored, confirmed, Answer::status(304)]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    assert_eq!(ask(&rates).await.header("x"), "new");
    assert_eq!(ask(&rates).await.header("x"), "old");
}

#[tokio::test(start_paused = true)]
async fn what_a_304_or_a_head_says_it_varies_by_chooses_from_then_on() {
    for method in [Method::GET, Method::HEAD] {
        let stored = cached("de", "max-age=10").header("etag", "\"de\"");
        let status = if method == Method::GET { 304 } else { 200 };
        let confirmed = Answer::status(status)
            .header("etag", "\"de\"")
            .header("cache-control", "max-age=60")
            .header("vary", "accept-language");
        let provider = Script::new([stored, confirmed, fresh("en")]);
        let rates = integration(layer(), &provider);
        let of = |method: &Method, language: &'static str| {
            let mut request = request(method.clone(), RATE);
            request.headers_mut().insert("accept-language", language.parse().unwrap());
            request
        };
        send(&rates, of(&Method::GET, "de")).await.unwrap();
        wait(20).await;
        send(&rates, of(&method, "de")).await.unwrap();
        for language in ["de", "en"] {
            let got = send(&rates, of(&Method::GET, language)).await.unwrap();
            assert_eq!(got.text, language, "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_stalls_or_is_too_large_is_not_stored() {
    let whole = "0123456789";
    let short = || cached(whole, "max-age=60").header("content-length", "11");
    for (answer, is_read) in [
        (fresh(whole).breaks_after(5), false),
        (short(), true),
        (fresh("this is longer than the cap"), true),
    ] {
        let provider = Script::new([answer, fresh("next")]);
        let rates = integration(layer().body_cap(12), &provider);
        let first = send(&rates, get(RATE)).await;
        assert_eq!(first.is_ok(), is_read, "{first:?}");
        wait(1).await;
        assert_eq!(ask(&rates).await.text, "next");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_stops_reading_stores_nothing() {
    let provider = Script::new([fresh("0123456789").stalls_after(5), fresh("next")]);
    let rates = integration(layer(), &provider);
    let response = rates.send(get(RATE)).await.unwrap();
    drop(response);
    wait(1).await;
    assert_eq!(ask(&rates).await.text, "next");
}

#[tokio::test(start_paused = true)]
async fn a_304_freshens_what_is_stored() {
    let stored = cached("1.1", "max-age=10").header("etag", "\"a\"").header("x", "old");
    let confirmed = Answer::status(304)
        .header("etag", "\"a\"")
        .header("x", "new")
        .header("cache-control", "max-age=100");
    let provider = Script::new([stored, confirmed]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let second = ask(&rates).await;
    assert_eq!((second.outcome(), second.text.as_str()), (CacheOutcome::Revalidated, "1.1"));
    assert_eq!((second.head.status().as_u16(), second.header("x")), (200, "new"));
    assert_eq!(provider.requests()[1].headers()["if-none-match"], "\"a\"");
    wait(50).await;
    assert_eq!(ask(&rates).await.outcome(), CacheOutcome::Hit);
}

#[tokio::test(start_paused = true)]
async fn a_304_about_another_answer_is_asked_again_without_conditions() {
    let stored = cached("1.1", "max-age=10").header("etag", "\"a\"");
    let other = Answer::status(304).header("etag", "\"b\"");
    let provider = Script::new([stored, other, fresh("1.2")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    assert_eq!(ask(&rates).await.text, "1.2");
    assert!(!provider.requests()[2].headers().contains_key("if-none-match"));
}

#[tokio::test(start_paused = true)]
async fn a_head_is_answered_from_a_stored_get_and_outdates_it() {
    let head = || request(Method::HEAD, RATE);
    let other = Answer::status(200).header("etag", "\"b\"");
    let stored = cached("1.1", "max-age=10").header("etag", "\"a\"");
    let provider = Script::new([stored, other, fresh("1.2")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    let given = send(&rates, head()).await.unwrap();
    assert_eq!((given.outcome(), given.text.as_str()), (CacheOutcome::Hit, ""));
    wait(20).await;
    assert_eq!(send(&rates, head()).await.unwrap().outcome(), CacheOutcome::Miss);
    ask(&rates).await;
    assert!(!provider.requests()[2].headers().contains_key("if-none-match"), "it was outdated");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_finds_what_was_not_there_outdates_that() {
    let missing = Answer::status(404).header("cache-control", "max-age=10");
    let provider = Script::new([missing, fresh(""), fresh("b")]);
    let rates = integration(layer(), &provider);
    assert_eq!(ask(&rates).await.head.status(), 404);
    wait(20).await;
    send(&rates, request(Method::HEAD, RATE)).await.unwrap();
    assert_eq!(ask(&rates).await.text, "b");
}

#[tokio::test(start_paused = true)]
async fn a_call_can_go_past_it_and_can_want_nothing_else() {
    let provider = Script::new([fresh("a"), fresh("b")]);
    let rates = integration(layer(), &provider);
    let mut only = get(RATE);
    only.headers_mut().insert("cache-control", "only-if-cached".parse().unwrap());
    assert_eq!(send(&rates, only).await.unwrap().head.status(), 504);
    assert!(provider.requests().is_empty());
    ask(&rates).await;
    let mut past = get(RATE);
    past.extensions_mut().insert(CachePolicy::Bypass);
    let past = send(&rates, past).await.unwrap();
    assert_eq!((past.outcome(), past.text.as_str()), (CacheOutcome::Bypass, "b"));
    assert_eq!(ask(&rates).await.text, "a");
}

#[tokio::test(start_paused = true)]
async fn a_kill_switch_at_cache_only_lets_it_answer_and_refuses_what_it_lacks() {
    let provider = Script::new([cached("a", "max-age=60, stale-if-error=600"), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    rates.kill_switch().set(SwitchMode::CacheOnly, "ada", "they move");
    assert_eq!(ask(&rates).await.outcome(), CacheOutcome::Hit);
    wait(120).await;
    let stale = ask(&rates).await;
    assert_eq!((stale.outcome(), stale.text.as_str()), (CacheOutcome::StaleIfError, "a"));
    let error = send(&rates, get("http://rates.test/usd")).await.unwrap_err();
    assert!(error.is_rejected() && error.delivery() == Delivery::NotSent, "{error}");
    wait(600).await;
    assert!(send(&rates, get(RATE)).await.unwrap_err().is_rejected());
    rates.kill_switch().set(SwitchMode::On, "ada", "they moved");
    assert_eq!(ask(&rates).await.text, "b");
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_304_that_nobody_asked_for_confirms_nothing() {
    let provider = Script::new([cached("a", "max-age=10"), Answer::status(304), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let odd = ask(&rates).await;
    assert_eq!((odd.outcome(), odd.head.status().as_u16()), (CacheOutcome::Miss, 304));
}

#[tokio::test(start_paused = true)]
async fn a_kill_switch_at_fallback_only_lets_it_give_nothing_however_fresh() {
    let cases = [
        // Fresh.
        ("max-age=600", 120, 200),
        ("max-age=60, stale-while-revalidate=600", 120, 200),
        // A provider that is left in peace.
        ("max-age=60, stale-if-error=600", 120, 503),
    ];
    for (control, seconds, next) in cases {
        let provider = Script::new([cached("a", control), Answer::status(next).body("b")]);
        let rates = Integration::user_flow("rates")
            .without_retry()
            .fallback(FallbackLayer::value(Response::new("default")))
            .cache(layer())
            .service(provider.clone())
            .build()
            .unwrap();
        ask(&rates).await;
        wait(seconds).await;
        if next == 503 {
            is(&ask(&rates).await, CacheOutcome::StaleIfError, "a");
        }
        let begun = provider.begun();
        rates.kill_switch().set(SwitchMode::FallbackOnly, "ada", "wrong rates since noon");
        assert_eq!(ask(&rates).await.text, "default", "{control}");
        assert_eq!(provider.begun(), begun);
        rates.kill_switch().set(SwitchMode::On, "ada", "they are right");
        assert_eq!(ask(&rates).await.text, "a", "what is stored is there again: {control}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_answers_that_vary_and_have_no_room_together_the_newest_stay() {
    // The least that is allowed.
    let cap = 100 * 1024;
    let least = 4 * (2 * cap as u64 + 64 * 1024);
    let provider = Script::by(move |seen| {
        let language = seen.headers()["accept-language"].to_str().unwrap();
        let body = language.repeat(cap / 2);
        cached("", "max-age=60").header("vary", "accept-language").body(body)
    });
    let rates = integration(layer().max_bytes(least).body_cap(cap), &provider);
    let of = |language: &'static str| {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        send(&rates, request)
    };
    for language in ["de", "en", "fr", "it"] {
        assert_eq!(of(language).await.unwrap().outcome(), CacheOutcome::Miss);
        assert_eq!(of(language).await.unwrap().outcome(), CacheOutcome::Hit, "{language}");
    }
    assert_eq!(of("fr").await.unwrap().outcome(), CacheOutcome::Hit);
}
