//! A message as a store takes it.

use std::time::Duration;

use uuid::Uuid;

use super::error::{OutboxError, OutboxErrorKind};
use super::id::MessageId;
use super::message::Message;
use super::progress::Progress;
use super::stored::{Content, NewMessage};
use super::time::Timestamp;
use crate::rt::Rng;

impl Message {
    /// The message as a [`Store`](super::Store) takes it, enqueued at `now`.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Message`], with what is wrong with it.
    pub fn build(self, lane: &str, now: Timestamp, rng: &Rng) -> Result<NewMessage, OutboxError> {
        if let Some(why) = self.error {
            return Err(OutboxError::new(OutboxErrorKind::Message, why));
        }
        let max_age = self.max_age.unwrap_or_else(|| self.delay.saturating_add(DAY));
        if max_age <= self.delay && !self.delay.is_zero() {
            let why = "its deadline is over before it may be sent: give it one after `not_before`";
            return Err(OutboxError::new(OutboxErrorKind::Message, why));
        }
        let id = MessageId::new(now, rng);
        let mut progress = Progress::new(now, max_age, self.max_attempts);
        progress.not_before = now.plus(self.delay);
        (progress.phase, progress.dedup_window) = (self.phase, self.dedup_window);
        let content = Content {
            id,
            lane: lane.to_owned(),
            idempotency_key: self.key.unwrap_or_else(|| id.to_string()),
            dedup_key: self.dedup_key,
            order_key: self.order_key,
            correlation_id: self.correlation_id,
            traceparent: self.traceparent,
            template: self.template,
            method: self.method,
            uri: self.uri,
            headers: self.headers,
            fingerprint: fingerprint(&self.body),
            body: self.body,
            priority: self.priority,
            keep_answer: self.keep_answer,
            tenant: self.tenant,
            created: now,
            sealed_by: None,
        };
        Ok(NewMessage { content, progress })
    }

    /// For a message that was edited: the facts of the one that it replaces, unless it has its own.
    pub(crate) fn or_of(mut self, old: &Content) -> Self {
        self.dedup_key = self.dedup_key.or_else(|| old.dedup_key.clone());
        self.order_key = self.order_key.or_else(|| old.order_key.clone());
        self.tenant = self.tenant.or_else(|| old.tenant.clone());
        self.template = self.template.or_else(|| old.template.clone());
        self.correlation_id = self.correlation_id.or_else(|| old.correlation_id.clone());
        self
    }
}

/// Valid for a body as long as its bytes are the same: a name-based UUID (RFC 9562, 5.5; SHA-1).
pub(super) fn fingerprint(body: &[u8]) -> String {
    Uuid::new_v5(&BODIES, body).to_string()
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The namespace of fingerprints, so that none is an idempotency key's.
const BODIES: Uuid = Uuid::from_u128(0x6f75_7472_6967_4765_8272_626f_6479_0001);
