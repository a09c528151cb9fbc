//! Nobody waits: many attempts, `Retry-After` obeyed, and a key made for each unsafe call, under which a
//! POST is repeated because this provider honours keys.
//!
//! `cargo run --example background`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use std::time::Duration;

use http::{HeaderName, Request};
use outrigger::Integration;
use outrigger::backoff::Backoff;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::retry::Retries;

/// Tells of every retry.
struct Tell;

impl Subscriber for Tell {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        if let Event::RetryScheduled { attempt, class, delay, .. } = event {
            println!("attempt {attempt} failed ({class}); the next in {delay:.1?}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, request| {
        println!("    provider: idempotency-key {:?}", request.headers().get("idempotency-key"));
        match nth {
            1 => provider::answer(500, "oh no"),
            2 => {
                let mut response = provider::answer(429, "slowly");
                response.headers_mut().insert("retry-after", 1.into());
                response
            }
            _ => provider::answer(201, "stored"),
        }
    })
    .await?;

    // Shorter waits than the preset's, so that the example is soon over.
    let quick = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1));
    // Without this word, a POST that may have happened is not sent again.
    let keys = KeyProfile::header(HeaderName::from_static("idempotency-key")).honours_keys();
    let crm = Integration::background("crm")
        .idempotency(IdempotencyLayer::new(keys))
        .retry(|retry| retry.backoff(quick))
        .subscriber(Tell)
        .build()?;

    let request = Request::post(format!("{url}/contacts")).body("name=Ada")?;
    let response = crm.send(request).await?;
    println!("{} after {:?}", response.status(), response.extensions().get::<Retries>());
    println!("{}", response.into_body().text().await?);
    Ok(())
}
