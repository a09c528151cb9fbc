//! What is stored, for whom, and what drops it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::{Method, Uri};
use outrigger::cache::{
    CacheEntry, CacheHandle, CacheKey, CacheLayer, CacheOutcome, CachePartition, CachePolicy,
    CacheStore,
};
use outrigger::testing::{Answer, Script};
use outrigger::{Delivery, event::SwitchMode};

use super::origin::{RATE, ask, cached, fresh, get, integration, layer, request, send, wait};

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
async fn partitions_and_credentials_never_share_an_answer() {
    let by_who = Script::by(|seen| {
        let who = seen.headers().get("authorization").or_else(|| seen.headers().get("tenant"));
        Answer::status(200)
            .header("cache-control", "max-age=60")
            .body(who.map_or("nobody".to_owned(), |who| who.to_str().unwrap().to_owned()))
    });
    let rates = integration(layer(), &by_who);
    let of = |name: &'static str, value: &'static str| {
        let mut request = get(RATE);
        request.headers_mut().insert(name, value.parse().unwrap());
        if name == "tenant" {
            request.extensions_mut().insert(CachePartition::new(value));
        }
        request
    };
    for _ in 0..2 {
        for (name, value) in
            [("authorization", "a"), ("authorization", "b"), ("tenant", "a"), ("tenant", "b")]
        {
            assert_eq!(send(&rates, of(name, value)).await.unwrap().text, value);
        }
        assert_eq!(ask(&rates).await.text, "nobody");
    }
    assert_eq!(by_who.requests().len(), 5);
    // A token that rotates finds what its tenant has.
    let mut rotated = of("tenant", "a");
    rotated.headers_mut().insert("authorization", "new".parse().unwrap());
    assert_eq!(send(&rates, rotated).await.unwrap().outcome(), CacheOutcome::Hit);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_is_set_for_one_caller_is_given_to_no_other() {
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        let cookie = format!("session={number}");
        Answer::status(200).header("set-cookie", &cookie).body(cookie)
    });
    let rates = integration(layer().fresh_for(std::time::Duration::from_secs(60)), &provider);
    assert_eq!(
        (ask(&rates).await.text.as_str(), ask(&rates).await.text.as_str()),
        ("session=1", "session=2")
    );
    let named = || {
        let mut request = get(RATE);
        request.extensions_mut().insert(CachePartition::new("ada"));
        request
    };
    for _ in 0..2 {
        let own = send(&rates, named()).await.unwrap();
        assert_eq!((own.text.as_str(), own.header("set-cookie")), ("session=3", "session=3"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_that_sets_a_cookie_does_not_store_it_for_all() {
    let stored = cached("a", "max-age=10").header("etag", "\"a\"");
    let confirmed = Answer::status(304)
        .header("etag", "\"a\"")
        .header("cache-control", "max-age=60")
        .header("set-cookie", "session=1");
    let provider = Script::new([stored, confirmed, fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    assert_eq!(ask(&rates).await.header("set-cookie"), "session=1");
    let next = ask(&rates).await;
    assert_eq!((next.text.as_str(), next.header("set-cookie")), ("b", ""));
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
async fn whatever_header_holds_a_credential_makes_a_partition_and_so_does_another_host() {
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        cached("", "max-age=60").body(number.to_string())
    });
    let rates = integration(layer(), &provider);
    let with = |name: &'static str, value: &'static str, is_sensitive: bool| {
        let mut request = get(RATE);
        let mut value = http::HeaderValue::from_static(value);
        value.set_sensitive(is_sensitive);
        request.headers_mut().insert(name, value);
        request
    };
    assert_eq!(ask(&rates).await.text, "1");
    for _ in 0..2 {
        for (name, value, is_sensitive, text) in [
            ("x-api-key", "ada", false, "2"),
            ("x-api-key", "bob", false, "3"),
            ("private-token", "ada", false, "4"),
            ("x-caller", "ada", true, "5"),
            ("x-caller", "bob", true, "6"),
            ("host", "other.test", false, "7"),
            ("host", "Rates.test", false, "1"),
            ("x-request-id", "any", false, "1"),
        ] {
            let got = send(&rates, with(name, value, is_sensitive)).await.unwrap();
            assert_eq!(got.text, text, "{name}: {value}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_rotates_finds_its_partitions_answer_even_if_that_varies_by_it() {
    for name in ["authorization", "x-caller"] {
        let answer = |text| fresh(text).header("vary", "Authorization, Cookie, X-Caller");
        let provider = Script::new([answer("a"), answer("b")]);
        let rates = integration(layer(), &provider);
        for token in ["old", "new"] {
            let mut request = get(RATE);
            let mut value = http::HeaderValue::from_static(token);
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
            request.extensions_mut().insert(CachePartition::new("ada"));
            assert_eq!(send(&rates, request).await.unwrap().text, "a", "{name}");
        }
    }
}

#[test]
fn a_handle_shows_no_secret() {
    let handle = layer().handle().unwrap();
    assert!(!format!("{handle:?}").contains("secret"), "{handle:?}");
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
async fn an_unsafe_call_outdates_its_uri_and_those_that_it_names() {
    let named = "http://rates.test/usd";
    for (answer, status, outdates) in [
        (Answer::status(204).header("location", "/usd"), 204, true),
        (Answer::status(400), 400, false),
    ] {
        let provider = Script::new([fresh("a"), fresh("b"), answer, fresh("c"), fresh("d")]);
        let rates = integration(layer(), &provider);
        ask(&rates).await;
        send(&rates, get(named)).await.unwrap();
        let wrote = send(&rates, request(Method::PUT, RATE)).await.unwrap();
        assert_eq!((wrote.head.status().as_u16(), wrote.outcome()), (status, CacheOutcome::Bypass));
        let outcome = if outdates { CacheOutcome::Miss } else { CacheOutcome::Hit };
        assert_eq!(ask(&rates).await.outcome(), outcome);
        assert_eq!(send(&rates, get(named)).await.unwrap().outcome(), outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsafe_call_outdates_what_is_stored_for_others() {
    for of in ["bob", ""] {
        let provider = Script::new([fresh("a"), Answer::status(204), fresh("b")]);
        let rates = integration(layer(), &provider);
        let with = |method: Method, name: &'static str| {
            let mut request = request(method, RATE);
            if !name.is_empty() {
                request.extensions_mut().insert(CachePartition::new(name));
            }
            request
        };
        send(&rates, with(Method::GET, "ada")).await.unwrap();
        send(&rates, with(Method::PUT, of)).await.unwrap();
        assert_eq!(send(&rates, with(Method::GET, "ada")).await.unwrap().text, "b");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsafe_call_that_may_have_happened_outdates_too() {
    let provider = Script::new([fresh("a"), Answer::status(504), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    send(&rates, request(Method::POST, RATE)).await.unwrap();
    assert_eq!(ask(&rates).await.text, "b");
    let lost = Answer::broken(std::io::ErrorKind::ConnectionReset);
    let provider = Script::new([fresh("a"), lost, fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    let error = send(&rates, request(Method::POST, RATE)).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(ask(&rates).await.text, "b");
    // And one whose caller leaves.
    let provider = Script::new([fresh("a"), Answer::hang(), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    let lasting = send(&rates, request(Method::POST, RATE));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(5), lasting).await.is_err());
    assert_eq!(ask(&rates).await.text, "b");
    // One that was never sent outdates nothing.
    let provider = Script::new([fresh("a"), Answer::refused(), fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    send(&rates, request(Method::POST, RATE)).await.unwrap_err();
    assert_eq!(ask(&rates).await.text, "a");
}

#[tokio::test(start_paused = true)]
async fn people_can_drop_a_uri_a_prefix_or_all_and_what_is_fetched_meanwhile() {
    let slow = fresh("b").after(std::time::Duration::from_secs(1));
    let provider = Script::new([fresh("a"), slow, fresh("c"), fresh("d"), fresh("e")]);
    let layer = layer();
    let handle = layer.handle().unwrap();
    let rates = Arc::new(integration(layer, &provider));
    ask(&rates).await;
    handle.invalidate(&Uri::from_static("HTTP://rates.test:80/eur"));
    let asking = tokio::spawn({
        let rates = Arc::clone(&rates);
        async move { ask(&rates).await }
    });
    tokio::task::yield_now().await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    handle.invalidate(&Uri::from_static(RATE));
    assert_eq!(asking.await.unwrap().text, "b");
    assert_eq!(ask(&rates).await.text, "c", "what was fetched when it was dropped isn't stored");
    handle.invalidate_prefix("http://rates.test/");
    assert_eq!(ask(&rates).await.text, "d");
    handle.clear();
    assert_eq!((handle.keys(), ask(&rates).await.text.as_str()), (0, "e"));
    assert_eq!(handle.keys(), 1);
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

/// A store that tells a test before it stores something.
#[derive(Clone, Debug, Default)]
struct Watched {
    entries: Arc<Mutex<HashMap<CacheKey, CacheEntry>>>,
    before_put: Arc<Mutex<Option<CacheHandle>>>,
}

impl CacheStore for Watched {
    fn get(&self, key: &CacheKey) -> Option<CacheEntry> {
        self.entries.lock().unwrap().get(key).cloned()
    }

    fn put(&self, key: CacheKey, entry: CacheEntry) {
        if let Some(handle) = self.before_put.lock().unwrap().take() {
            handle.invalidate(&Uri::from_static(RATE));
        }
        self.entries.lock().unwrap().insert(key, entry);
    }

    fn remove(&self, key: &CacheKey) {
        self.entries.lock().unwrap().remove(key);
    }

    fn remove_where(&self, goes: &dyn Fn(&CacheKey) -> bool) {
        self.entries.lock().unwrap().retain(|key, _| !goes(key));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_outdated_while_a_variant_is_dropped_does_not_come_back() {
    let provider = Script::by(|seen| {
        let language = seen.headers()["accept-language"].to_str().unwrap().to_owned();
        // An answer to a request with `x-last` is of no use later.
        let control = if seen.headers().contains_key("x-last") { "" } else { "max-age=60" };
        cached("", control).header("vary", "accept-language").body(language)
    });
    let store = Watched::default();
    let layer = CacheLayer::with_store(store.clone());
    let handle = layer.handle().unwrap();
    let rates = integration(layer, &provider);
    let of = |language: &'static str| {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        request
    };
    for language in ["de", "en"] {
        send(&rates, of(language)).await.unwrap();
    }
    let mut last = of("en");
    last.headers_mut().insert("cache-control", "no-cache".parse().unwrap());
    last.headers_mut().insert("x-last", "1".parse().unwrap());
    *store.before_put.lock().unwrap() = Some(handle);
    send(&rates, last).await.unwrap();
    assert!(store.before_put.lock().unwrap().is_none(), "the other variant was stored anew");
    assert_eq!(send(&rates, of("de")).await.unwrap().outcome(), CacheOutcome::Miss);
}
