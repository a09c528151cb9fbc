//! A person waits: one retry where it is safe, and a clear word where it isn't.
//!
//! `cargo run --example user_flow`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use http::Request;
use outrigger::{IdempotencyKey, Integration};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Every other request fails.
    let url = provider::start(|nth, _| match nth.is_multiple_of(2) {
        true => provider::answer(200, "charged"),
        false => provider::answer(503, "try again"),
    })
    .await?;

    let payments = Integration::user_flow("payments").build()?;

    println!("a POST with a key is sent again, under the same key:");
    let mut request = Request::post(format!("{url}/charges")).body("amount=1000")?;
    request.extensions_mut().insert(IdempotencyKey::from_business_key("order 1042"));
    let response = payments.send(request).await?;
    println!("{} {}", response.status(), response.into_body().text().await?);

    println!("a POST without one is never sent twice; the answer is the caller's to handle:");
    let request = Request::post(format!("{url}/charges")).body("amount=1000")?;
    let response = payments.send(request).await?;
    println!("{} {}", response.status(), response.into_body().text().await?);

    println!("an error says whether it may have happened:");
    let nobody = Request::get("http://127.0.0.1:1/").body(())?;
    if let Err(error) = payments.send(nobody).await {
        println!("{error} (delivery: {:?}, attempts: {})", error.delivery(), error.attempts());
    }
    Ok(())
}
