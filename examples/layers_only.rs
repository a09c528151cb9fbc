//! Without a preset: two layers of one's own choice around any service.
//!
//! `cargo run --example layers_only`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use std::time::Duration;

use http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use outrigger::Body;
use outrigger::backoff::Backoff;
use outrigger::deadline::DeadlineLayer;
use outrigger::retry::RetryLayer;
use outrigger::timeout::TimeoutLayer;
use outrigger::transport::SingleHop;
use tower::{Service, ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, _| match nth {
        1 | 2 => provider::answer(500, "oh no"),
        _ => provider::answer(200, "sunny"),
    })
    .await?;

    // From the outside in: each layer's page says what it must stand outside or inside of.
    // The client sends one request a call: what it couldn't send may be repeated.
    let client = SingleHop::new(Client::builder(TokioExecutor::new()).build_http());
    let soon = Backoff::exponential(Duration::from_millis(20), Duration::from_millis(200));
    let mut weather = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(2)))
        .layer(RetryLayer::new().max_attempts(3).backoff(soon))
        .layer(TimeoutLayer::new().attempt(Duration::from_millis(500)))
        .service(client);

    let request = Request::get(url).body(Body::empty())?;
    let response = weather.ready().await?.call(request).await?;
    println!("{}", response.status());
    println!("{}", Body::new(response.into_body()).text().await?);
    Ok(())
}
