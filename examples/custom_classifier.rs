//! What the default can't know: a provider that answers 200 to what went wrong, and says so in a
//! header.
//!
//! `cargo run --example custom_classifier`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use http::{HeaderValue, Request};
use outrigger::Integration;
use outrigger::outcome::{Class, HttpClassifier, ResponseHead};
use outrigger::retry::Retries;

/// `x-status: failed` is a failure, and so worth another attempt; 420 is "enough of you".
fn own_rules(head: &ResponseHead<'_>) -> Option<Class> {
    match head.status.as_u16() {
        200 if head.headers.get("x-status").is_some_and(|status| status == "failed") => {
            Some(Class::Invalid)
        }
        420 => Some(Class::Throttled),
        _ => None,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, _| {
        let mut response = provider::answer(200, "");
        let status = if nth == 1 { "failed" } else { "done" };
        response.headers_mut().insert("x-status", HeaderValue::from_static(status));
        response
    })
    .await?;

    let shipping = Integration::user_flow("shipping")
        .classifier(HttpClassifier::new().with(own_rules))
        .build()?;

    let response = shipping.send(Request::get(format!("{url}/labels/7")).body(())?).await?;
    println!("{} {:?}", response.status(), response.headers().get("x-status"));
    println!("{:?}", response.extensions().get::<Retries>());
    Ok(())
}
