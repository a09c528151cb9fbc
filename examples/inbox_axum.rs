//! Webhooks in axum: a provider sends an event, then the same one again, then somebody forges one. The event is
//! verified, recorded and handled once, in the transaction that marks it handled.
//!
//! `cargo run --example inbox_axum --features inbox,sqlite`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outrigger::Integration;
use outrigger::inbox::{Inbox, StandardWebhooks, lane};
use outrigger::outbox::{Filter, Outbox, Page, State};
use ring::hmac;
use tokio::net::TcpListener;

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The service: its own database, which is the inbox's, too.
    let folder = std::env::temp_dir().join(format!("inbox-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outbox = Outbox::sqlite(folder.join("app.db"))
        .on_event("billing", |transaction, event| {
            transaction.execute_batch("CREATE TABLE IF NOT EXISTS paid (invoice TEXT)")?;
            transaction.execute("INSERT INTO paid VALUES (?1)", [event.id()])?;
            println!("handled   {} {}", event.kind().unwrap_or("?"), event.id().unwrap_or("?"));
            Ok(())
        })
        .build()?;
    let scheme = StandardWebhooks::new([format!("whsec_{SECRET}")])?;
    let inbox = Inbox::builder("billing", scheme, &outbox).build()?;
    let app = Router::new().route_service("/webhooks/billing", inbox.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let service = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let worker = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.run().await }
    });

    // The provider.
    let body = r#"{"type":"invoice.paid","data":{"invoice":"in_7"}}"#;
    let provider = Integration::user_flow("provider").base_url(service).without_retry().build()?;
    for (what, secret) in [("first", SECRET), ("again", SECRET), ("forged", "Z3Vlc3NlZA==")] {
        let (sent, signature) = sign(secret, "msg_1", body)?;
        let webhook = provider.post("webhooks/billing").header("webhook-id", "msg_1");
        let webhook =
            webhook.header("webhook-timestamp", sent).header("webhook-signature", signature);
        let answer = webhook.body(body).send().await?;
        println!("{what:<9} {} {}", answer.status(), answer.into_body().text().await?);
    }

    // What came of it.
    let events = Filter::all().lane(lane("billing"));
    let first = outbox.browse(events, Page::first(10)).await?.remove(0);
    while outbox
        .history(first.content.id)
        .await?
        .is_some_and(|row| row.message.progress.state != State::Delivered)
    {
        outbox.wait(first.content.id, Duration::from_millis(50)).await?;
    }
    let counts = inbox.counts();
    println!(
        "recorded {}, duplicates {}, refused {:?}",
        counts.recorded, counts.duplicates, counts.refused
    );
    outbox.shut_down(Duration::from_secs(1));
    worker.await??;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// The time and the signature of a webhook that is sent now.
fn sign(
    secret: &str,
    id: &str,
    body: &str,
) -> Result<(String, String), Box<dyn std::error::Error>> {
    let sent = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret)?);
    let tag = hmac::sign(&key, format!("{id}.{sent}.{body}").as_bytes());
    Ok((sent, format!("v1,{}", STANDARD.encode(tag))))
}
