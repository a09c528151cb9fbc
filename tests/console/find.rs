//! An order's whole life, in the order in which it happened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use outrigger::console::{Console, Recent};
use outrigger::control::Registry;
use outrigger::fallback::FallbackLayer;
use outrigger::inbox::{GitHub, Inbox};
use outrigger::outbox::{MemoryStore, Message, Outbox};
use outrigger::rt::Clock;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, CallOptions, Integration};
use tower::ServiceExt;

use super::bench::{Bench, all};

async fn page(console: &Console, query: &str) -> String {
    let request = Request::get(format!("/{query}")).header("x-user", "ada");
    let response = console.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    response.into_body().text().await.unwrap()
}

/// Each of these is on the page, after the one before it.
fn in_order(page: &str, parts: &[&str]) {
    let mut rest = page;
    for part in parts {
        let at = rest.find(part);
        let at = at.unwrap_or_else(|| panic!("{part:?} isn't there, or not in order: {page}"));
        rest = &rest[at + part.len()..];
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_with_its_attempts_and_what_its_fallback_gave() {
    let clock = Clock::anchored(Clock::system().wall());
    let recent = Recent::new().clock(clock);
    let registry = Registry::new().subscriber(recent.clone());
    let payments = Integration::user_flow("payments").service(Script::new([Answer::status(500)]));
    let payments = payments.fallback(FallbackLayer::value(Response::new("pay later")));
    let payments = payments.register(&registry).build().unwrap();
    let console = Console::builder(&registry, all()).recent(recent).clock(clock).build().unwrap();
    let options = CallOptions::new().business_key("order 7").template("/charges");
    let request = Request::get("http://pay.test/charges").body(Body::empty()).unwrap();
    let response = payments.send_with(request, options).await.unwrap();
    assert_eq!(response.into_body().text().await.unwrap(), "pay later");
    let found = page(&console, "?find=order+7").await;
    in_order(
        &found,
        &[
            "GET /charges begins",
            "attempt 1 failed (server_error); the next follows after",
            "the fallback answered in the provider's place (server_error): the provider answered",
            "ends with the fallback (server_error): 2 attempts",
        ],
    );
    assert!(found.contains("in its own record"), "it says what it can't know: {found}");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_told_with_its_attempts_and_what_people_did() {
    let clock = Clock::anchored(Clock::system().wall());
    let registry = Registry::new();
    let answers = [Answer::status(422).header("x-request-id", "req_9"), Answer::status(200)];
    let mailer = Integration::background("mailer").service(Script::new(answers));
    let mailer = mailer.register(&registry).build().unwrap();
    let store = MemoryStore::new().clock(clock);
    let outbox = Outbox::with_store(store).clock(clock).lane(&mailer).build().unwrap();
    let console =
        Console::builder(&registry, all()).outbox(outbox.clone()).clock(clock).build().unwrap();
    let bench = Bench { console, outbox, ..Bench::new(all()) };
    let mail = Message::post("http://mail.test/send").lane("mailer").dedup_key("order 7");
    let id = bench.outbox.enqueue(mail).await.unwrap().id;
    let work = tokio::spawn({
        let outbox = bench.outbox.clone();
        async move { outbox.run().await }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let one = format!("?message={id}");
    bench.act("ada", &one, "reveal", &[("why", "the customer asks")]).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench.act("bob", &one, "replay", &[("why", "their bug is gone")]).await.location();
    tokio::time::sleep(Duration::from_secs(5)).await;
    work.abort();

    // What an attempt met before it was delivered isn't told as if it failed.
    let delivered = bench.get("ada", &one).await.text;
    assert!(!delivered.contains("last failure"), "{delivered}");
    in_order(
        &delivered,
        &[
            ">delivered, <time",
            "an earlier failure",
            "attempt 1: rejected, status 422 (client_error)",
            "<h2>Attempts",
        ],
    );
    let lane = bench.get("ada", "?lane=mailer").await.text;
    assert!(lane.contains("an earlier attempt: ") && !lane.contains("200 "), "{lane}");
    for name in ["order+7", "req_9", &id.to_string()] {
        let found = bench.get("ada", &format!("?find={name}")).await.text;
        in_order(
            &found,
            &[
                "enqueued, by the idempotency key",
                "attempt 1: rejected, status 422 (client_error), the provider's request id req_9",
                "reveal by ada: the customer asks (done: it is shown below, once)",
                "replay by bob: their bug is gone",
                "attempt 2: delivered, status 200",
                ">delivered<",
            ],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_told_from_its_receipt_to_its_handling() {
    static FAILS: AtomicBool = AtomicBool::new(true);
    let clock = Clock::anchored(Clock::system().wall());
    let outbox = Outbox::memory().clock(clock).on_event("github", |_| {
        match FAILS.swap(false, Ordering::Relaxed) {
            true => Err("the order isn't there yet".into()),
            false => Ok(()),
        }
    });
    let outbox = outbox.build().unwrap();
    let github = GitHub::new(["It's a Secret to Everybody"]).unwrap();
    let inbox = Inbox::builder("github", github, &outbox).build().unwrap();
    let registry = Registry::new();
    let console = Console::builder(&registry, all()).outbox(outbox.clone()).build().unwrap();
    let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let event = Request::post("/webhooks/github")
        .header("x-hub-signature-256", signed)
        .header("x-github-delivery", "72d3162e-cc78")
        .header("x-github-event", "ping");
    let event = event.body(Body::from("Hello, World!")).unwrap();
    assert_eq!(inbox.oneshot(event).await.unwrap().status(), 200);
    let waiting = page(&console, "?lane=inbox%3Agithub").await;
    assert!(waiting.contains("are being handled") && waiting.contains("Received"), "{waiting}");
    assert!(!waiting.contains("sent"), "{waiting}");
    let work = tokio::spawn(async move { outbox.run().await });
    tokio::time::sleep(Duration::from_secs(60)).await;
    work.abort();

    let found = page(&console, "?find=72d3162e-cc78").await;
    in_order(
        &found,
        &[
            "webhook of <bdi>github",
            "event 72d3162e-cc78 (ping) received from github, its signature verified",
            "handling 1: hook_failed: the order isn't there yet; next at",
            "handling 2: handled",
            ">handled<",
        ],
    );
    let id = found.split("?message=").nth(1).unwrap().split('"').next().unwrap();
    let one = page(&console, &format!("?message={id}")).await;
    assert!(one.contains("Webhook ") && one.contains("received"), "{one}");
}
