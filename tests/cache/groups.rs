//! Answers that belong together go together (RFC 9875).

use std::time::Duration;

use http::{Method, Request, Uri};
use outrigger::cache::{CacheHandle, CacheLayer, CacheOutcome, CachePartition};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};

use super::origin::{cached, get, integration, layer, request, send};
use super::outdating::Watched;

const EUR: &str = "http://rates.test/eur";
const USD: &str = "http://rates.test/usd";
const TAXES: &str = "http://rates.test/taxes";
const ELSEWHERE: &str = "http://other.test/eur";

/// Rates are in the groups `rates` and `money`, taxes in `taxes` and `money`. What a request says in
/// `outdates` is outdated by its answer.
fn provider() -> Script {
    Script::by(|seen| {
        let groups = match seen.uri().path() {
            "/taxes" => "\"taxes\", \"money\"",
            "/slow" => "\"rates\"",
            _ => "\"rates\";since=2025, \"money\"",
        };
        let answer = cached("", "max-age=60").header("cache-groups", groups);
        let answer = match seen.headers().get("outdates") {
            Some(groups) => answer.header("cache-group-invalidation", groups.to_str().unwrap()),
            None => answer,
        };
        let slow = seen.uri().path() == "/slow" && seen.method() == Method::GET;
        answer.after(Duration::from_secs(u64::from(slow)))
    })
}

/// With the store in memory, and with one that has no index.
fn both() -> [(Integration, CacheHandle); 2] {
    [layer(), CacheLayer::with_store(Watched::default())].map(|layer| {
        let handle = layer.handle().unwrap();
        (integration(layer, &provider()), handle)
    })
}

fn of(who: &str, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(CachePartition::new(who));
    request
}

/// Stores all of them, for two who ask.
async fn fill(rates: &Integration) {
    for uri in [EUR, USD, TAXES, ELSEWHERE] {
        for who in ["ada", "bob"] {
            send(rates, of(who, get(uri))).await.unwrap();
        }
    }
}

/// Which are still stored, without asking for the others.
async fn stored(rates: &Integration) -> Vec<&'static str> {
    let mut stored = Vec::new();
    for uri in [EUR, USD, TAXES, ELSEWHERE] {
        let mut hits = Vec::new();
        for who in ["ada", "bob"] {
            let mut request = of(who, get(uri));
            request.headers_mut().insert("cache-control", "only-if-cached".parse().unwrap());
            hits.push(send(rates, request).await.unwrap().outcome() == CacheOutcome::Hit);
        }
        assert_eq!(hits[0], hits[1], "{uri}: one for all partitions");
        stored.extend(hits[0].then_some(uri));
    }
    stored
}

fn outdating(method: Method, uri: &str, groups: &'static str) -> Request<Body> {
    let mut request = request(method, uri);
    request.headers_mut().insert("outdates", groups.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_unsafe_call_outdates_the_groups_that_it_names_in_its_origin() {
    for (rates, _) in both() {
        for (request, left) in [
            (
                outdating(Method::POST, "http://rates.test/orders", "\"rates\""),
                &[TAXES, ELSEWHERE][..],
            ),
            (
                outdating(Method::POST, "http://rates.test/orders", "\"none\", \"money\""),
                &[ELSEWHERE],
            ),
            (
                outdating(Method::POST, "http://rates.test/orders", "\"RATES\""),
                &[EUR, USD, TAXES, ELSEWHERE],
            ),
            (
                outdating(Method::POST, "http://rates.test/orders", "rates"),
                &[EUR, USD, TAXES, ELSEWHERE],
            ),
            (
                outdating(Method::HEAD, "http://rates.test/orders", "\"rates\""),
                &[EUR, USD, TAXES, ELSEWHERE],
            ),
        ] {
            fill(&rates).await;
            let said = request.headers()["outdates"].clone();
            send(&rates, of("ada", request)).await.unwrap();
            assert_eq!(stored(&rates).await, left, "{said:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_outdated_takes_its_groups_along_and_theirs_no_further() {
    for (rates, handle) in both() {
        fill(&rates).await;
        // `taxes` is in no group of its own that others are in.
        let provider = "http://rates.test/eur";
        send(&rates, of("ada", request(Method::PUT, provider))).await.unwrap();
        assert_eq!(stored(&rates).await, [ELSEWHERE]);
        fill(&rates).await;
        handle.invalidate(&Uri::from_static(TAXES));
        assert_eq!(stored(&rates).await, [ELSEWHERE]);
        fill(&rates).await;
        send(&rates, of("ada", get("http://rates.test/slow"))).await.unwrap();
        handle.invalidate(&Uri::from_static("http://rates.test/slow"));
        assert_eq!(stored(&rates).await, [TAXES, ELSEWHERE], "they share `money` with others");
    }
}

#[tokio::test(start_paused = true)]
async fn people_can_drop_a_group_and_what_is_fetched_meanwhile_is_not_stored() {
    for (rates, handle) in both() {
        fill(&rates).await;
        let slow = "http://rates.test/slow";
        let asking = tokio::spawn({
            let rates = rates.clone();
            async move { send(&rates, get(slow)).await.unwrap().outcome() }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        handle.invalidate_group(&Uri::from_static("HTTP://Rates.test:80/any"), "rates");
        assert_eq!(stored(&rates).await, [TAXES, ELSEWHERE]);
        assert_eq!(asking.await.unwrap(), CacheOutcome::Miss);
        assert_eq!(send(&rates, get(slow)).await.unwrap().outcome(), CacheOutcome::Miss);
        assert_eq!(send(&rates, get(slow)).await.unwrap().outcome(), CacheOutcome::Hit);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_leaves_the_groups_that_its_successor_does_not_name() {
    for by_uri in [true, false] {
        let first =
            cached("a", "max-age=10").header("cache-groups", "\"rates\"").header("etag", "\"1\"");
        let second = match by_uri {
            true => cached("b", "max-age=60"),
            false => Answer::status(304)
                .header("cache-control", "max-age=60")
                .header("cache-groups", "\"b\""),
        };
        let layer = layer();
        let handle = layer.handle().unwrap();
        let rates = integration(layer, &Script::new([first, second]));
        send(&rates, get(EUR)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(20)).await;
        send(&rates, get(EUR)).await.unwrap();
        handle.invalidate_group(&Uri::from_static(EUR), "rates");
        assert_eq!(send(&rates, get(EUR)).await.unwrap().outcome(), CacheOutcome::Hit);
    }
}
