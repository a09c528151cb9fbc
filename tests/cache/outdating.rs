//! What drops an answer that is stored.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Uri};
use outrigger::cache::{
    CacheEntry, CacheHandle, CacheKey, CacheLayer, CacheOutcome, CachePartition, CacheStore,
};
use outrigger::testing::{Answer, Script};
use outrigger::validate::{Media, ValidateLayer};
use outrigger::{Delivery, ErrorKind, Integration};

use super::origin::{RATE, ask, cached, fresh, get, integration, layer, request, send};

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
    assert!(tokio::time::timeout(Duration::from_millis(5), lasting).await.is_err());
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
    let slow = fresh("b").after(Duration::from_secs(1));
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
    tokio::time::sleep(Duration::from_millis(500)).await;
    handle.invalidate(&Uri::from_static(RATE));
    assert_eq!(asking.await.unwrap().text, "b");
    assert_eq!(ask(&rates).await.text, "c", "what was fetched when it was dropped isn't stored");
    handle.invalidate_prefix("http://rates.test/");
    assert_eq!(ask(&rates).await.text, "d");
    handle.clear();
    assert_eq!((handle.keys(), ask(&rates).await.text.as_str()), (0, "e"));
    assert_eq!(handle.keys(), 1);
}

/// A store that tells a test before it stores something, and has no index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
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

    fn remove_where(&self, goes: &dyn Fn(&CacheKey, &CacheEntry) -> bool) {
        self.entries.lock().unwrap().retain(|key, entry| !goes(key, entry));
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

#[tokio::test(start_paused = true)]
async fn an_unsafe_call_outdates_though_its_answer_became_an_error() {
    // 200, and a body that fails its check.
    let wrong = Answer::status(200).header("content-type", "text/html").body("<p>");
    let json = |text| fresh(text).header("content-type", "application/json");
    let provider = Script::new([json("1"), wrong, json("2")]);
    let builder = Integration::user_flow("rates").without_retry();
    let builder = builder.validate(ValidateLayer::new().enforce(Media::json()));
    let rates = builder.cache(layer()).service(provider).build().unwrap();
    ask(&rates).await;
    let error = send(&rates, request(Method::PUT, RATE)).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Invalid, Delivery::Answered));
    assert_eq!(ask(&rates).await.text, "2");
}

#[tokio::test(start_paused = true)]
async fn an_unsafe_call_outdates_by_an_attempt_that_may_have_happened_before_the_last() {
    for last in [404, 429, 503] {
        let provider =
            Script::new([fresh("a"), Answer::status(503), Answer::status(last), fresh("b")]);
        let builder = Integration::user_flow("rates").without_breaker().without_rate_limit();
        let rates = builder.cache(layer()).service(provider).build().unwrap();
        ask(&rates).await;
        let deleted = send(&rates, request(Method::DELETE, RATE)).await.unwrap();
        assert_eq!(deleted.head.status(), last);
        assert_eq!(ask(&rates).await.text, "b", "{last}");
    }
}

/// A store whose next write waits until a test has done something else.
#[derive(Clone, Default)]
struct Held {
    entries: Arc<Mutex<HashMap<CacheKey, CacheEntry>>>,
    before_put: Arc<Mutex<Option<Hook>>>,
}

type Hook = Box<dyn FnOnce() + Send>;

impl CacheStore for Held {
    fn get(&self, key: &CacheKey) -> Option<CacheEntry> {
        self.entries.lock().unwrap().get(key).cloned()
    }

    fn put(&self, key: CacheKey, entry: CacheEntry) {
        let hook = self.before_put.lock().unwrap().take();
        hook.into_iter().for_each(|hook| hook());
        self.entries.lock().unwrap().insert(key, entry);
    }

    fn remove(&self, key: &CacheKey) {
        self.entries.lock().unwrap().remove(key);
    }

    fn remove_where(&self, goes: &dyn Fn(&CacheKey, &CacheEntry) -> bool) {
        self.entries.lock().unwrap().retain(|key, entry| !goes(key, entry));
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_variant_that_is_dropped_while_another_is_stored_does_not_come_back() {
    let provider = Script::by(|seen| {
        let language = seen.headers()["accept-language"].to_str().unwrap().to_owned();
        let is_gone = seen.headers().contains_key("cache-control");
        Answer::status(if is_gone { 404 } else { 200 })
            .header("cache-control", if is_gone { "max-age=0" } else { "max-age=60" })
            .header("vary", "accept-language")
            .body(language)
    });
    let store = Held::default();
    let rates = integration(CacheLayer::with_store(store.clone()), &provider);
    let of = |language: &'static str, control: Option<&'static str>| {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        let control = control.map(|control| control.parse().unwrap());
        control.into_iter().for_each(|control| {
            request.headers_mut().insert("cache-control", control);
        });
        let rates = rates.clone();
        async move { send(&rates, request).await.unwrap() }
    };
    of("de", None).await;
    let (reached, writes) = tokio::sync::oneshot::channel();
    let (go_on, waits) = std::sync::mpsc::channel();
    *store.before_put.lock().unwrap() = Some(Box::new(move || {
        reached.send(()).unwrap();
        // It ends by itself.
        let _ = waits.recv_timeout(Duration::from_secs(10));
    }));
    let writing = tokio::spawn(of("en", None));
    writes.await.unwrap();
    assert_eq!(of("de", Some("no-cache")).await.head.status(), 404);
    go_on.send(()).unwrap();
    writing.await.unwrap();
    // The fetch's task has ended when the next call is answered, by it or by one of its own.
    of("en", None).await;
    assert_eq!(of("de", None).await.outcome(), CacheOutcome::Miss);
}
