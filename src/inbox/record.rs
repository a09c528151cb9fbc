//! Recording an event once.

use std::time::Duration;

use bytes::Bytes;
use ring::digest::{Context, SHA256};

use super::event::message;
use super::facts::{Facts, Identity};
use crate::context::IdempotencyKey;
use crate::outbox::{By, MessageId, Outbox, OutboxError, Selection, Ticket};
use crate::sign::hex;

/// What became of a webhook that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// It was recorded, and will be handled.
    Recorded(MessageId),
    /// It was recorded before.
    Duplicate {
        /// The first one.
        id: MessageId,
        /// Its handling was dead, and is begun anew because it was sent again.
        replayed: bool,
    },
    /// It is a question of the provider's, with this answer.
    Answer(String),
}

pub(super) async fn record(
    outbox: &Outbox,
    source: &str,
    max_attempts: u32,
    facts: &Facts,
    body: Bytes,
) -> Result<Received, OutboxError> {
    let key = key(source, &facts.identity, &body);
    // An event is not given up because nobody was there to handle it.
    let message = message(source, facts, body)
        .idempotency_key(key)
        .max_attempts(max_attempts)
        .deadline(MAX_AGE);
    let Ticket { id, is_duplicate, .. } = outbox.enqueue(message).await?;
    if !is_duplicate {
        return Ok(Received::Recorded(id));
    }
    // It is refused unless the event is dead; of two at once, one replays.
    let (on, by) = (Selection::One(id), By { who: source, why: "the provider sent it again" });
    let acted = outbox.replay(on, by).await?;
    Ok(Received::Duplicate { id, replayed: !acted.changed.is_empty() })
}

/// One key an event: the store has it once.
fn key(source: &str, identity: &Identity, body: &[u8]) -> String {
    match identity {
        Identity::Id(id) => {
            let key = format!("inbox:{source}:id:{id}");
            match IdempotencyKey::try_from(key.as_str()) {
                Ok(_) => key,
                Err(_) => format!("inbox:{source}:id-sha256:{}", sha256(&[id.as_bytes()])),
            }
        }
        Identity::Body(other) => {
            format!("inbox:{source}:body-sha256:{}", sha256(&[other, body]))
        }
    }
}

/// Of these parts, each with its length, so that no two lists of parts have the same.
fn sha256(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex(context.finish().as_ref())
}

/// As long as a row is kept by default. Providers send again for 4 hours to 3 days.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_suits_a_store_and_no_two_identities_have_the_same() {
        let body = |other: &str| Identity::Body(other.into());
        let long = "x".repeat(4096);
        let identities = [
            (Identity::Id("evt_1".into()), "{}"),
            (Identity::Id("evt 1".into()), "{}"),
            (Identity::Id(long.clone()), "{}"),
            (body(""), "{}"),
            (body("a"), "b"),
            (body("ab"), ""),
            (body(""), "ab"),
        ];
        let source = "s".repeat(40);
        let mut keys: Vec<_> =
            identities.iter().map(|(id, body)| key(&source, id, body.as_bytes())).collect();
        assert!(keys.iter().all(|key| IdempotencyKey::try_from(key.as_str()).is_ok()), "{keys:?}");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), identities.len());
        assert_eq!(key("stripe", &Identity::Id("evt_1".into()), b"any"), "inbox:stripe:id:evt_1");
    }
}
