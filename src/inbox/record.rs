//! Recording an event once.

use std::fmt::Write as _;

use bytes::Bytes;
use ring::digest::{Context, SHA256};

use super::event::{lane, message};
use super::facts::{Facts, Identity};
use crate::context::IdempotencyKey;
use crate::outbox::{
    Action, Enqueued, ExpiredKey, MessageId, OutboxError, OutboxErrorKind, Selection, Store,
};
use crate::rt::Rng;

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

/// How events of a source are stored.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How often an event is tried.
    pub(super) max_attempts: u32,
}

pub(super) async fn record(
    store: &dyn Store,
    source: &str,
    limits: Limits,
    facts: &Facts,
    body: Bytes,
) -> Result<Received, OutboxError> {
    let key = key(source, &facts.identity, &body);
    // Nothing may be given up only because nobody was there to handle it, so the deadline is the window's.
    let message = message(source, facts, body)
        .idempotency_key(key)
        .max_attempts(limits.max_attempts)
        .deadline(super::WINDOW);
    let message = message.build(&lane(source), store.now().await?, &Rng::system())?;
    let enqueued = store.enqueue(vec![message]).await?;
    let Enqueued { id, is_duplicate, .. } = enqueued.into_iter().next().ok_or_else(lost)?;
    if !is_duplicate {
        return Ok(Received::Recorded(id));
    }
    // Refused unless it is dead; of two at once, one replays.
    let (who, why) = (source.to_owned(), "the provider sent it again".to_owned());
    let replay = Action::Replay(ExpiredKey::Refuse);
    let acted = store.act(Selection::One(id), replay, who, why).await?;
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
    context.finish().as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn lost() -> OutboxError {
    OutboxError::new(OutboxErrorKind::Store, "the store did not say what it did")
}

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
