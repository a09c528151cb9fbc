//! The CRM's webhooks: how it sends them, and what is done with each.

use std::error::Error;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use outrigger::Body;
use outrigger::inbox::{Inbox, ReceivedEvent};
use outrigger::outbox::rusqlite::{Connection, OptionalExtension, params_from_iter};
use outrigger::outbox::{Dialect, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use crate::compare::update;
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
    let contact = webhook.data;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS seen (contact TEXT PRIMARY KEY, changed INTEGER)",
    )?;
    let last = transaction.query_row(
        "SELECT changed FROM seen WHERE contact = ?1",
        [&contact.id],
        |row| row.get::<_, Option<i64>>(0),
    );
    // No provider promises an order: the newest state wins.
    if !event.is_newest_since(last.optional()?.flatten().map(Timestamp)) {
        return Ok(());
    }
    let changed = event.time().map(|time| time.0);
    transaction.execute("INSERT OR REPLACE INTO seen VALUES (?1, ?2)", (&contact.id, changed))?;
    let insert = update(&contact).insert_statement(Dialect::Sqlite)?;
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
