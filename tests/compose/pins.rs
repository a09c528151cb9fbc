//! Versions of a provider's API that are pinned.

use http::{HeaderName, Request};
use outrigger::event::Event;
use outrigger::integration::{Pin, Service};
use outrigger::sign::{SignLayer, Signed, SigningInput};
use outrigger::testing::{Answer, EventRecorder, Script, SeenRequest};
use outrigger::{Body, Integration, IntegrationBuilder};

fn builder(provider: &Script) -> IntegrationBuilder<Service<Script>> {
    Integration::user_flow("shop").service(provider.clone())
}

fn ok() -> Script {
    Script::new([Answer::status(200)])
}

async fn get(shop: &Integration, url: &str) {
    shop.get(url).send().await.unwrap();
}

fn seen(provider: &Script, name: &str) -> Vec<Option<String>> {
    let value =
        |request: &SeenRequest| Some(request.headers().get(name)?.to_str().unwrap().to_owned());
    provider.requests().iter().map(value).collect()
}

fn told(events: &EventRecorder) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::PinOverridden { pin } => Some(format!("{pin} overridden")),
        Event::PinDiffers { pin, version } => Some(format!("{pin} {version}")),
        _ => None,
    };
    events.events().iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn each_request_asks_for_the_version_that_its_profile_says() {
    for (pin, header) in [
        (Pin::stripe("v-1"), "stripe-version"),
        (Pin::github("v-1"), "x-github-api-version"),
        (Pin::square("v-1"), "square-version"),
        (Pin::notion("v-1"), "notion-version"),
        (Pin::anthropic("v-1"), "anthropic-version"),
        (Pin::header(HeaderName::from_static("x-version"), "v-1"), "x-version"),
    ] {
        let provider = ok();
        get(&builder(&provider).pin(pin).build().unwrap(), "https://shop.test/").await;
        assert_eq!(seen(&provider, header), [Some("v-1".into())]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_in_the_query_stands_there_before_anything_is_signed() {
    let provider = ok();
    let signer = |input: &SigningInput| {
        let query = input.uri.query().unwrap_or_default();
        let query = http::HeaderValue::try_from(query).unwrap();
        Ok(Signed::new(http::HeaderMap::from_iter([(HeaderName::from_static("x-signed"), query)])))
    };
    let shop = builder(&provider).pin(Pin::azure("2024-11-01")).sign(SignLayer::new(signer));
    let shop = shop.build().unwrap();
    for (url, query) in [
        ("https://a.test", "api-version=2024-11-01"),
        ("https://a.test/x?", "api-version=2024-11-01"),
        ("https://a.test/x?b=c", "b=c&api-version=2024-11-01"),
        ("https://a.test/x?api-versions=1", "api-versions=1&api-version=2024-11-01"),
        ("https://a.test/x?b&api-version=2023-01-01", "b&api-version=2023-01-01"),
        ("https://a.test/x?api-version", "api-version"),
    ] {
        get(&shop, url).await;
        let request = provider.requests().pop().unwrap();
        assert_eq!(request.uri().query(), Some(query), "{url}");
        assert_eq!(request.headers()["x-signed"], query);
    }
}

#[tokio::test(start_paused = true)]
async fn a_callers_own_version_wins_and_is_told_once() {
    let (provider, events) = (
        Script::new([Answer::status(200).header("stripe-version", "2020-01-01")]),
        EventRecorder::new(),
    );
    let shop = builder(&provider).subscriber(events.clone()).pin(Pin::stripe("2025-09-30"));
    let shop = shop.build().unwrap();
    for _ in 0..2 {
        let request = Request::get("https://shop.test/").header("stripe-version", "2020-01-01");
        shop.send(request.body(Body::empty()).unwrap()).await.unwrap();
    }
    assert_eq!(seen(&provider, "stripe-version"), vec![Some("2020-01-01".to_owned()); 2]);
    // What such an answer tells is no news of the pin.
    assert_eq!(told(&events), ["stripe-version overridden"]);
    assert!(!shop.health().pins[0].differs);
    // The pinned one, written by the caller.
    let request = Request::get("https://shop.test/").header("stripe-version", "2025-09-30");
    shop.send(request.body(Body::empty()).unwrap()).await.unwrap();
    assert!(shop.health().pins[0].differs);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_differs_is_told_when_it_changes_and_is_in_health() {
    let versions = ["2026-01", "2026-04", "2026-04", "2026-07", "2026-01", "2026-07"];
    let answers =
        versions.map(|version| Answer::status(200).header("x-shopify-api-version", version));
    let (provider, events) = (Script::new(answers), EventRecorder::new());
    let shop = builder(&provider).subscriber(events.clone()).pin(Pin::shopify("2026-01"));
    let shop = shop.build().unwrap();
    let mut differs = Vec::new();
    for _ in versions {
        get(&shop, "https://shop.test/admin/api/2026-01/shop.json").await;
        differs.push(shop.health().pins[0].differs);
    }
    assert_eq!(differs, [false, true, true, true, false, true]);
    let name = "x-shopify-api-version";
    assert_eq!(told(&events), ["2026-04", "2026-07"].map(|version| format!("{name} {version}")));
    let health = &shop.health().pins[0];
    assert_eq!(
        (&*health.name, &*health.version, health.told.as_deref()),
        (name, "2026-01", Some("2026-07"))
    );
    // A path without that version, and an answer that tells none, say nothing.
    let answers = [Answer::status(200).header(name, "2026-04"), Answer::status(200)];
    let shop = builder(&Script::new(answers)).pin(Pin::shopify("2026-01")).build().unwrap();
    for path in ["admin/api/2026-04/shop.json", "admin/api/2026-01/shop.json"] {
        get(&shop, &format!("https://shop.test/{path}")).await;
    }
    assert_eq!(shop.health().pins[0].told, None);
}

#[tokio::test(start_paused = true)]
async fn only_the_base_urls_origin_gets_it() {
    let provider = ok();
    let shop = builder(&provider)
        .base_url("https://api.shop.test/v1")
        .allow_origin("https://files.shop.test")
        .pin(Pin::notion("2022-06-28"))
        .pin(Pin::azure("2024-11-01"))
        .build()
        .unwrap();
    get(&shop, "pages").await;
    get(&shop, "https://files.shop.test/1").await;
    assert_eq!(seen(&provider, "notion-version"), [Some("2022-06-28".to_owned()), None]);
    assert_eq!(provider.requests()[1].uri().query(), None);
}

#[test]
fn a_pin_that_cannot_be_sent_is_named() {
    let version = HeaderName::from_static("x-version");
    for pin in [
        Pin::stripe(""),
        Pin::stripe("two words"),
        Pin::stripe("1\n2"),
        Pin::azure("1&admin=1"),
        Pin::query("a b", "1"),
    ] {
        let error = builder(&ok()).pin(pin).build().unwrap_err();
        assert_eq!(error.errors()[0].field(), "pin", "{error}");
    }
    let twice = builder(&ok()).default_header("x-version", "1").pin(Pin::header(version, "2"));
    assert!(twice.build().unwrap_err().to_string().contains("default header, too"));
    for (one, other) in [
        (Pin::stripe("1"), Pin::stripe("2")),
        (Pin::azure("1"), Pin::azure("2")),
        (Pin::shopify("1"), Pin::shopify("2")),
    ] {
        let error = builder(&ok()).pin(one).pin(other).build().unwrap_err();
        assert!(error.to_string().contains("another pin"), "{error}");
    }
    assert!(builder(&ok()).pin(Pin::stripe("1")).pin(Pin::notion("1")).build().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_another_origin_tells_says_nothing_of_the_pin() {
    let provider = Script::new([Answer::status(200).header("stripe-version", "2020-01-01")]);
    let events = EventRecorder::new();
    let shop = builder(&provider)
        .subscriber(events.clone())
        .base_url("https://api.shop.test/v1")
        .allow_origin("https://files.shop.test")
        .pin(Pin::stripe("2025-09-30"))
        .build()
        .unwrap();
    get(&shop, "https://files.shop.test/1").await;
    assert_eq!((shop.health().pins[0].told.clone(), told(&events)), (None, vec![]));
    get(&shop, "balance").await;
    assert!(shop.health().pins[0].differs);
}

#[tokio::test(start_paused = true)]
async fn a_version_with_an_old_date_is_marked() {
    for (version, is_old) in [
        ("2020-01-01", true),
        ("2020-01", true),
        ("9999-01-01", false),
        ("v2", false),
        ("2020", false),
        ("1960-01", false),
    ] {
        let shop = builder(&ok()).pin(Pin::stripe(version)).build().unwrap();
        assert_eq!(shop.health().pins[0].is_over_a_year_old, is_old, "{version}");
    }
}
