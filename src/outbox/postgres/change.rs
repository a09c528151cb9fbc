//! Messages that are locked in a transaction, and what is written back of them.

use std::collections::HashMap;

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::error::Failure;
use super::statements::Statements;
use super::values::{Columns, Param, messages};
use crate::outbox::columns::{SqlValue, progress_values};
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outbox::head::head_to_bytes;
use crate::outbox::id::MessageId;
use crate::outbox::row::SqlRow;
use crate::outbox::stored::{Answer, Attempt, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::State;

/// A message that is locked, and how it was.
pub(super) struct Held {
    pub(super) message: StoredMessage,
    pub(super) is_changed: bool,
    pub(super) is_answer_changed: bool,
    state: State,
    token: u64,
}

/// What a transaction writes, in three statements for any number of messages.
pub(super) struct Changes {
    messages: Columns,
    answers: Columns,
    attempts: Vec<(MessageId, Attempt)>,
    /// Those that give up their business keys.
    freed: Vec<String>,
}

impl Held {
    pub(super) fn new(message: StoredMessage) -> Self {
        let (state, token) = (message.progress.state, message.progress.token);
        Self { message, is_changed: false, is_answer_changed: false, state, token }
    }
}

impl Changes {
    pub(super) fn new() -> Self {
        let messages = Columns::new("tttiiiiiiiiiiiitiititiiitiittti");
        Self { messages, answers: Columns::new("ibbt"), attempts: Vec::new(), freed: Vec::new() }
    }

    /// Writes the message, if it is changed.
    pub(super) fn message(&mut self, held: &Held) {
        let Held { message, .. } = held;
        let id = || SqlValue::from(message.content.id.to_string());
        if held.is_changed {
            let mut values = progress_values(&message.progress);
            values.push(message.last_status.map(i64::from).into());
            values.push(message.last_error.clone().into());
            values.push(id());
            values.push(held.state.name().to_owned().into());
            values.push(integer(held.token).into());
            self.messages.push(values);
        }
        if held.is_answer_changed {
            let answer = message.answer.as_ref();
            let head = |it: &Answer| head_to_bytes(&it.headers, it.sealed_by.as_deref());
            self.answers.push(vec![
                answer.map(|answer| i64::from(answer.status)).into(),
                answer.map_or(SqlValue::Null, |it| SqlValue::Bytes(head(it))),
                answer.map_or(SqlValue::Null, |it| SqlValue::Bytes(it.body.to_vec())),
                id(),
            ]);
        }
    }

    /// The message has no business key any more.
    pub(super) fn free_key(&mut self, id: MessageId) {
        self.freed.push(id.to_string());
    }

    /// Records an attempt.
    pub(super) fn attempt(&mut self, id: MessageId, attempt: Attempt) {
        let is_same =
            |known: &&mut (MessageId, Attempt)| known.0 == id && known.1.number == attempt.number;
        match self.attempts.iter_mut().find(is_same) {
            // As the statement does it: one statement can't write a row twice.
            Some((_, known)) if attempt.outcome != "stale" || known.outcome == "unknown" => {
                *known = attempt;
            }
            Some(_) => {}
            None => self.attempts.push((id, attempt)),
        }
    }

    pub(super) async fn write(self, tx: &Transaction<'_>, sql: &Statements) -> Result<(), Failure> {
        if !self.freed.is_empty() {
            tx.execute_typed(&sql.free_keys, &[(&self.freed, Type::TEXT_ARRAY)]).await?;
        }
        if self.messages.len() > 0 {
            let changed = tx.execute_typed(&sql.update, &self.messages.params()).await?;
            if changed != self.messages.len() as u64 {
                let why = "a message was changed while its row was locked";
                return Err(OutboxError::new(OutboxErrorKind::Store, why).into());
            }
        }
        if self.answers.len() > 0 {
            tx.execute_typed(&sql.update_answers, &self.answers.params()).await?;
        }
        if !self.attempts.is_empty() {
            let mut attempts = Columns::new("titiitittit");
            for (id, attempt) in self.attempts {
                attempts.push(attempt_values(id, attempt));
            }
            tx.execute_typed(&sql.record_attempts, &attempts.params()).await?;
        }
        Ok(())
    }
}

/// Locks messages. Without the content of those in other lanes than these.
pub(super) async fn hold(
    tx: &Transaction<'_>,
    sql: &Statements,
    ids: Vec<String>,
    whole: &[&str],
) -> Result<(Timestamp, HashMap<MessageId, Held>), Failure> {
    let params: [Param<'_>; 2] = [(&ids, Type::TEXT_ARRAY), (&whole, Type::TEXT_ARRAY)];
    let rows = tx.query_typed(&sql.held, &params).await?;
    let now = rows.first().map(|row| row.time("now")).transpose()?.unwrap_or_default();
    let held = messages(&rows)?.into_iter().map(|message| (message.content.id, Held::new(message)));
    Ok((now, held.collect()))
}

fn attempt_values(id: MessageId, attempt: Attempt) -> Vec<SqlValue> {
    vec![
        id.to_string().into(),
        integer(attempt.number).into(),
        attempt.owner.into(),
        attempt.started.into(),
        attempt.ended.into(),
        attempt.outcome.into(),
        attempt.status.map(i64::from).into(),
        attempt.class.into(),
        attempt.request_id.into(),
        attempt.next_at.into(),
        attempt.error.into(),
    ]
}

pub(super) fn integer(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
