//! What the pages say.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use outrigger::{Body, CallOptions, Integration};

use outrigger::console::{Console, Recent};
use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::testing::{Answer, Script};
use tower::ServiceExt;

use super::bench::{Bench, all};

async fn pay(payments: &Integration, order: &str) {
    let options = CallOptions::new().business_key(order);
    let options = options.template("/charges");
    let request = http::Request::get("http://pay.test/charges").body(Body::empty()).unwrap();
    if let Ok(response) = payments.send_with(request, options).await {
        let _read = response.into_body().bytes().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_overview_says_in_a_sentence_what_is_down_and_puts_it_first() {
    let bench = Bench::new(all());
    let calm = bench.get("ada", "").await.text;
    assert!(calm.contains("All 2 integrations work."), "{calm}");
    bench.status.store(0, Ordering::Relaxed);
    for _ in 0..40 {
        pay(&bench.payments, "order 1").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let page = bench.get("ada", "").await.text;
    assert!(page.contains("1 of 2 integrations need a look."), "{page}");
    assert!(page.contains("payments has been down for"), "{page}");
    let (payments, mailer) = (page.find("card down").unwrap(), page.find("card up").unwrap());
    assert!(payments < mailer, "the worst is first");
    assert!(page.contains("the provider failed") && page.contains("refused here"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_some_of_the_calls_does_not_just_work() {
    let bench = Bench::new(all());
    for call in 0..40 {
        bench.status.store(if call % 4 == 0 { 500 } else { 200 }, Ordering::Relaxed);
        pay(&bench.payments, "order 1").await;
    }
    let page = bench.get("ada", "").await.text;
    assert!(
        page.contains("payments answers, but failed 10 of 40 calls in the last 5 minutes."),
        "{page}"
    );
    assert!(page.contains("1 of 2 integrations need a look."), "{page}");
    // An hour later it is forgotten.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(bench.get("ada", "").await.text.contains("payments works."));
}

#[tokio::test(start_paused = true)]
async fn of_few_calls_most_have_to_fail_to_be_told() {
    for (statuses, is_told) in
        [(&[500, 500][..], false), (&[500, 500, 500], true), (&[500, 500, 200, 200], false)]
    {
        let bench = Bench::new(all());
        for status in statuses {
            bench.status.store(*status, Ordering::Relaxed);
            let charge =
                http::Request::post("http://pay.test/charges").body(Body::empty()).unwrap();
            bench.payments.send(charge).await.unwrap();
        }
        let page = bench.get("ada", "").await.text;
        assert_eq!(page.contains("payments answers, but failed"), is_told, "{statuses:?}: {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_is_found_by_its_key_with_its_calls_and_messages() {
    let bench = Bench::new(all());
    pay(&bench.payments, "order 0").await;
    pay(&bench.payments, "order 7").await;
    let ids = bench.dead(1).await;
    let found = bench.get("ada", "?find=order+0").await.text;
    assert!(found.contains(&ids[0].to_string()), "{found}");
    assert!(found.contains("/charges") && found.contains("payments"), "{found}");
    let by_id = bench.get("ada", &format!("?find={}", ids[0])).await.text;
    assert!(by_id.contains("order 0"), "{by_id}");
    let nothing = bench.get("ada", "?find=order+8").await.text;
    assert!(nothing.contains("Nothing is known under this name."), "{nothing}");
    assert!(nothing.contains("audit log"), "it says what it can't know: {nothing}");
    // An empty question finds nothing, not everything.
    assert!(!bench.get("ada", "?find=").await.text.contains("<table"));
}

#[tokio::test(start_paused = true)]
async fn an_integration_shows_its_last_failures() {
    let bench = Bench::new(all());
    bench.status.store(422, Ordering::Relaxed);
    pay(&bench.payments, "order 9").await;
    let page = bench.get("ada", "?integration=payments").await.text;
    assert!(page.contains("422 (client_error)"), "{page}");
    assert_eq!(bench.get("ada", "?integration=nobody").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_lane_is_shown_in_pages() {
    let bench = Bench::new(all());
    let ids = bench.dead(120).await;
    let mut next = Some("?lane=mailer&state=dead".to_owned());
    let mut seen = Vec::new();
    while let Some(page) = next {
        let page = bench.get("ada", &page).await.text;
        seen.extend(ids.iter().filter(|id| page.contains(&format!("?message={id}\""))).copied());
        let link = page.split("rel=\"next\" href=\"").nth(1);
        next = link.and_then(|link| link.split('"').next()).map(|link| link.replace("&amp;", "&"));
    }
    assert_eq!(seen, ids);
}

#[tokio::test(start_paused = true)]
async fn all_links_are_relative_to_where_it_is_mounted() {
    let bench = Bench::new(all());
    let ids = bench.dead(1).await;
    let message = format!("?message={}", ids[0]);
    for page in
        ["", "?integration=payments", "?lane=mailer&state=dead", &message, "?acts", "?find=order+0"]
    {
        let page = bench.get("ada", page).await.text;
        for attribute in ["href=\"", "src=\"", "action=\"", "data-live=\""] {
            for link in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(link.starts_with(['?', '#']) || link == "data:,", "{link}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_not_there_says_so() {
    let bench = Bench::new(all());
    let unknown = "?message=01a22f52-18ac-7cf0-9613-7250a3f0e824";
    for page in ["?nothing", "?message=x", unknown, "?task=9"] {
        assert_eq!(bench.get("ada", page).await.status, StatusCode::NOT_FOUND, "{page}");
    }
}

async fn text_of(console: &Console, query: &str) -> String {
    let request = http::Request::get(format!("/{query}")).header("x-user", "ada");
    let response = console.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    response.into_body().text().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_no_answer_of_the_provider() {
    let recent = Recent::new();
    let registry = Registry::new().subscriber(recent.clone());
    let payments = Integration::user_flow("payments").service(Script::new([Answer::status(500)]));
    let payments = payments.fallback(FallbackLayer::value(http::Response::new("pay later")));
    let payments = payments.register(&registry).build().unwrap();
    let console = Console::builder(&registry, all()).recent(recent).build().unwrap();
    for _ in 0..3 {
        pay(&payments, "order 1").await;
    }
    let overview = text_of(&console, "").await;
    assert!(overview.contains("Users got the fallback in 3 of 3 calls"), "{overview}");
    assert!(overview.contains("0 of 3"), "the provider answered none: {overview}");
    let page = text_of(&console, "?integration=payments").await;
    assert!(page.contains("the fallback (server_error)"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn what_users_get_instead_is_said_in_the_hosts_own_words() {
    let registry = Registry::new();
    let fallback = FallbackLayer::value(http::Response::new("{}")).label("pay <b>later</b>");
    let payments = Integration::user_flow("payments").service(Script::new([Answer::status(200)]));
    let payments = payments.fallback(fallback).register(&registry).build().unwrap();
    let rates = Integration::user_flow("rates").service(Script::new([Answer::status(200)]));
    let _rates = rates.register(&registry).build().unwrap();
    let console = Console::builder(&registry, all()).build().unwrap();
    let page = text_of(&console, "?integration=payments").await;
    assert!(page.contains("users get “pay &lt;b&gt;later&lt;/b&gt;”"), "{page}");
    payments.kill_switch().set(SwitchMode::FallbackOnly, "ada", "they charge twice");
    let overview = text_of(&console, "").await;
    let said = "payments has been stopped for 0 ms by ada: they charge twice. Users get “pay &lt;b&gt;later&lt;/b&gt;”.";
    assert!(overview.contains(said), "{overview}");
    let page = text_of(&console, "?integration=rates").await;
    assert!(page.contains("there is no fallback, so each is refused as not sent"), "{page}");
    assert!(page.contains("there is no cache that could answer"), "{page}");
    let health = registry.health_of("payments").unwrap().fallback.unwrap();
    assert_eq!(health.label.as_deref(), Some("pay <b>later</b>"));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_a_person_holds_says_who_and_why() {
    let bench = Bench::new(all());
    let page = "?integration=payments";
    let hold = |to| [("control", "circuit_breaker"), ("to", to), ("why", "they charge twice")];
    bench.act("ada", page, "set", &hold("open")).await.location();
    let overview = bench.get("ada", "").await.text;
    assert!(overview.contains("held open by ada: they charge twice"), "{overview}");
    bench.act("bob", page, "set", &hold("closed")).await.location();
    let overview = bench.get("ada", "").await.text;
    assert!(overview.contains("held closed by bob: they charge twice"), "{overview}");
}

#[tokio::test(start_paused = true)]
async fn without_a_memory_of_calls_the_pages_say_so() {
    let registry = Registry::new();
    let payments = Integration::user_flow("payments").service(Script::new([Answer::status(500)]));
    let payments = payments.register(&registry).build().unwrap();
    let console = Console::builder(&registry, all()).build().unwrap();
    pay(&payments, "order 1").await;
    for page in ["", "?integration=payments", "?find=order+1"] {
        let text = text_of(&console, page).await;
        assert!(text.contains("Calls aren't remembered"), "{page}: {text}");
    }
}
