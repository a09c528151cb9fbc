//! The CRM's webhooks: how it sends them, and what is done with each.

use std::error::Error;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use outrigger::Body;
use outrigger::inbox::{Inbox, ReceivedEvent};
use outrigger::outbox::Dialect;
use outrigger::outbox::rusqlite::{Connection, params_from_iter};
use ring::hmac;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use crate::carry::look_at;
use crate::systems::Contact;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Deserialize, Serialize)]
struct Webhook {
    timestamp: String,
    data: Contact,
}

/// In the transaction that marks the event handled: what it enqueues is enqueued once.
pub(crate) fn handle(
    transaction: &Connection,
    event: &ReceivedEvent,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let webhook: Webhook = serde_json::from_slice(event.body())?;
    // Providers promise no order, so the state that it tells may be an old one: it is read again.
    let insert = look_at(&webhook.data.id).insert_statement(Dialect::Sqlite)?;
    transaction.execute(&insert.sql, params_from_iter(insert.params))?;
    Ok(())
}

/// Sends a webhook as the CRM would.
pub(crate) async fn send(inbox: &Inbox, id: &str, contact: &Contact) -> Result<(), Box<dyn Error>> {
    let timestamp = format!("2026-12-01T08:00:{:02}Z", contact.changed);
    let body = serde_json::to_string(&Webhook { timestamp, data: contact.clone() })?;
    let sent = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let secret = STANDARD.decode(SECRET.trim_start_matches("whsec_"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, format!("{id}.{sent}.{body}").as_bytes());
    let request = Request::post("/webhooks/crm")
        .header("webhook-id", id)
        .header("webhook-timestamp", sent)
        .header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)))
        .body(Body::from(body))?;
    let answer = inbox.clone().oneshot(request).await?;
    println!("  webhook {id}: {}", answer.status());
    Ok(())
}
