//! A message as plain values, in the order of the columns of the SQL files.

use std::borrow::Cow;
use std::time::Duration;

use super::error::OutboxError;
use super::head::head_to_bytes;
use super::id::MessageId;
use super::message::Message;
use super::progress::Progress;
use super::sealing::Seal;
use super::stored::{Content, NewMessage};
use super::time::Timestamp;
use crate::rt::{Clock, Rng};

/// A parameter of an SQL statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite's, with the parameters `?1`, `?2` and so on.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// PostgreSQL's, with the parameters `$1`, `$2` and so on.
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A statement that stores one message, to be executed in a transaction of yours.
///
/// If a message of the same key is stored already, it changes no row and raises no error. After the commit,
/// [`Outbox::wake`](super::Outbox::wake) tells the workers of this process; others look every 5 s.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InsertStatement {
    /// The message's id, unless it is a duplicate.
    pub id: MessageId,
    /// The SQL.
    pub sql: Cow<'static, str>,
    /// Its parameters, in order.
    pub params: Vec<SqlValue>,
}

impl Message {
    /// The statement that enqueues the message in a transaction of yours: the message is stored if, and only
    /// if, your transaction is committed. It must have a [`lane`](Self::lane).
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Message`](super::OutboxErrorKind::Message), with what is wrong with it.
    pub fn insert_statement(self, dialect: Dialect) -> Result<InsertStatement, OutboxError> {
        Ok(self.build_now()?.insert_statement(dialect))
    }

    /// The same with the message [sealed](NewMessage::sealed), as by an outbox with this
    /// [`seal`](super::OutboxBuilder::seal).
    ///
    /// # Errors
    ///
    /// As [`insert_statement`](Self::insert_statement); [`OutboxErrorKind::Seal`](super::OutboxErrorKind::Seal) if the
    /// function fails.
    pub fn sealed_insert_statement(
        self,
        dialect: Dialect,
        seal: &dyn Seal,
    ) -> Result<InsertStatement, OutboxError> {
        Ok(self.build_now()?.sealed(seal)?.insert_statement(dialect))
    }

    fn build_now(self) -> Result<NewMessage, OutboxError> {
        let lane = self.lane_name().map(str::to_owned).ok_or_else(|| {
            let why = "the message has no lane: name it by `lane`";
            OutboxError::new(super::error::OutboxErrorKind::Message, why)
        })?;
        self.build(&lane, Clock::system().wall().into(), &Rng::system())
    }
}

impl NewMessage {
    /// The statement that stores it.
    #[must_use]
    pub fn insert_statement(&self, dialect: Dialect) -> InsertStatement {
        match dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => InsertStatement {
                id: self.content.id,
                sql: super::sqlite::INSERT.into(),
                params: [content_values(&self.content), progress_values(&self.progress)].concat(),
            },
            #[cfg(feature = "postgres")]
            Dialect::Postgres => InsertStatement {
                id: self.content.id,
                sql: super::postgres::INSERT.into(),
                params: super::postgres::enqueue_values(self),
            },
        }
    }
}

#[cfg(feature = "postgres")]
impl InsertStatement {
    /// The statement for tables in another schema than `outrigger`; PostgreSQL's only.
    ///
    /// # Panics
    ///
    /// If the name has other characters than letters, digits and `_`, or more than 63.
    #[must_use]
    pub fn in_schema(mut self, name: &str) -> Self {
        self.sql = super::postgres::in_schema(&self.sql, &super::postgres::quoted(name)).into();
        self
    }
}

/// In the order of [`CONTENT`].
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "only databases have columns")
)]
pub(crate) fn content_values(content: &Content) -> Vec<SqlValue> {
    vec![
        content.id.to_string().into(),
        content.lane.clone().into(),
        content.idempotency_key.clone().into(),
        content.dedup_key.clone().into(),
        content.order_key.clone().into(),
        content.correlation_id.clone().into(),
        content.traceparent.clone().into(),
        content.template.clone().into(),
        content.method.as_str().to_owned().into(),
        content.uri.to_string().into(),
        SqlValue::Bytes(head_to_bytes(&content.headers, content.sealed_by.as_deref())),
        SqlValue::Bytes(content.body.to_vec()),
        content.fingerprint.clone().into(),
        i64::from(content.priority as u8).into(),
        i64::from(content.keep_answer).into(),
        content.tenant.clone().into(),
        content.created.into(),
    ]
}

/// In the order of [`PROGRESS`].
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "only databases have columns")
)]
pub(crate) fn progress_values(progress: &Progress) -> Vec<SqlValue> {
    let lease = progress.lease.as_ref();
    vec![
        progress.state.name().to_owned().into(),
        progress.phase.name().to_owned().into(),
        progress.dead_reason.map(|reason| reason.name().to_owned()).into(),
        i64::from(progress.attempt).into(),
        i64::from(progress.max_attempts).into(),
        i64::from(progress.hook_attempts).into(),
        i64::from(progress.snoozes).into(),
        i64::from(progress.unknown).into(),
        progress.not_before.into(),
        millis(progress.max_age).into(),
        progress.deadline.into(),
        progress.key_valid_until.into(),
        progress.first_attempt.into(),
        progress.settled.into(),
        i64::try_from(progress.token).unwrap_or(i64::MAX).into(),
        lease.map(|lease| lease.owner.clone()).into(),
        lease.map(|lease| lease.until).into(),
        i64::from(progress.replays).into(),
        progress.replaced_by.map(|id| id.to_string()).into(),
        i64::from(progress.erased).into(),
        progress.poll_uri.clone().into(),
        i64::from(progress.unknown_before).into(),
        millis(progress.dedup_window).into(),
        progress.dedup_until.into(),
        progress.batch_id.map(|id| id.to_string()).into(),
        i64::from(progress.batch_size).into(),
    ]
}

/// Milliseconds that a column can hold.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl From<i64> for SqlValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<String> for SqlValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Timestamp> for SqlValue {
    fn from(at: Timestamp) -> Self {
        Self::Integer(at.0)
    }
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The columns of what never changes.
#[cfg(test)]
pub(crate) const CONTENT: [&str; 17] = [
    "id",
    "lane",
    "idempotency_key",
    "dedup_key",
    "order_key",
    "correlation_id",
    "traceparent",
    "template",
    "method",
    "uri",
    "headers",
    "body",
    "fingerprint",
    "priority",
    "keep_answer",
    "tenant",
    "created",
];

/// The columns of what changes.
#[cfg(test)]
pub(crate) const PROGRESS: [&str; 26] = [
    "state",
    "phase",
    "dead_reason",
    "attempt",
    "max_attempts",
    "hook_attempts",
    "snoozes",
    "unknown",
    "not_before",
    "max_age",
    "deadline",
    "key_valid_until",
    "first_attempt",
    "settled",
    "token",
    "lease_owner",
    "lease_until",
    "replays",
    "replaced_by",
    "erased",
    "poll_uri",
    "unknown_before",
    "dedup_window",
    "dedup_until",
    "batch_id",
    "batch_size",
];
