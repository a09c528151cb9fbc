//! Rows as values, by the columns' names: a later version may have more of them.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri};
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};

use crate::outbox::columns::headers_from_bytes;
use crate::outbox::id::MessageId;
use crate::outbox::state::{Lease, Progress};
use crate::outbox::store::{Pause, PausedBy};
use crate::outbox::stored::{Act, Answer, Attempt, Content, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, Priority, State};

/// The messages that a statement finds. One in a state that only a later version knows is left alone.
pub(super) fn messages(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params, message)?;
    found.filter_map(Result::transpose).collect()
}

/// The rows that a statement finds.
pub(super) fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn message(row: &Row<'_>) -> rusqlite::Result<Option<StoredMessage>> {
    let Some(progress) = progress(row)? else { return Ok(None) };
    let answer = match row.get::<_, Option<u16>>("answer_status")? {
        None => None,
        Some(status) => Some(Answer {
            status,
            headers: headers_from_bytes(row.get_ref("answer_headers")?.as_blob()?),
            body: Bytes::copy_from_slice(row.get_ref("answer_body")?.as_blob()?),
        }),
    };
    Ok(Some(StoredMessage {
        seq: unsigned(row, "seq")?,
        content: content(row)?,
        progress,
        last_status: row.get("last_status")?,
        last_error: row.get("last_error")?,
        answer,
    }))
}

fn content(row: &Row<'_>) -> rusqlite::Result<Content> {
    let priority: usize = usize::from(row.get::<_, u8>("priority")?);
    Ok(Content {
        id: id(row, "id")?,
        lane: row.get("lane")?,
        idempotency_key: row.get("idempotency_key")?,
        dedup_key: row.get("dedup_key")?,
        order_key: row.get("order_key")?,
        correlation_id: row.get("correlation_id")?,
        traceparent: row.get("traceparent")?,
        template: row.get("template")?,
        method: parsed::<Method>(row, "method")?,
        uri: parsed::<Uri>(row, "uri")?,
        headers: headers_from_bytes(row.get_ref("headers")?.as_blob()?),
        body: Bytes::copy_from_slice(row.get_ref("body")?.as_blob()?),
        fingerprint: row.get("fingerprint")?,
        priority: Priority::ALL.get(priority).copied().unwrap_or_default(),
        keep_answer: row.get("keep_answer")?,
        created: time(row, "created")?,
    })
}

fn progress(row: &Row<'_>) -> rusqlite::Result<Option<Progress>> {
    let state = State::from_name(row.get_ref("state")?.as_str()?);
    let phase = Phase::from_name(row.get_ref("phase")?.as_str()?);
    let (Some(state), Some(phase)) = (state, phase) else { return Ok(None) };
    let reason: Option<String> = row.get("dead_reason")?;
    let (owner, until): (Option<String>, _) =
        (row.get("lease_owner")?, maybe_time(row, "lease_until")?);
    let replaced_by: Option<String> = row.get("replaced_by")?;
    Ok(Some(Progress {
        state,
        phase,
        dead_reason: reason.and_then(|reason| DeadReason::from_name(&reason)),
        attempt: row.get("attempt")?,
        max_attempts: row.get("max_attempts")?,
        hook_attempts: row.get("hook_attempts")?,
        snoozes: row.get("snoozes")?,
        unknown: row.get("unknown")?,
        not_before: time(row, "not_before")?,
        max_age: Duration::from_millis(unsigned(row, "max_age")?),
        deadline: time(row, "deadline")?,
        key_valid_until: maybe_time(row, "key_valid_until")?,
        first_attempt: maybe_time(row, "first_attempt")?,
        settled: maybe_time(row, "settled")?,
        token: unsigned(row, "token")?,
        lease: owner.zip(until).map(|(owner, until)| Lease { owner, until }),
        replays: row.get("replays")?,
        replaced_by: replaced_by.and_then(|id| id.parse().ok()),
        erased: row.get("erased")?,
        poll_uri: row.get("poll_uri")?,
    }))
}

pub(super) fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        number: unsigned(row, "number")?,
        owner: row.get("owner")?,
        started: time(row, "started")?,
        ended: time(row, "ended")?,
        outcome: row.get("outcome")?,
        status: row.get("status")?,
        class: row.get("class")?,
        request_id: row.get("request_id")?,
        next_at: maybe_time(row, "next_at")?,
    })
}

pub(super) fn act(row: &Row<'_>) -> rusqlite::Result<Act> {
    let message: Option<String> = row.get("message")?;
    Ok(Act {
        message: message.and_then(|id| id.parse().ok()),
        lane: row.get("lane")?,
        action: row.get("action")?,
        who: row.get("who")?,
        why: row.get("why")?,
        at: time(row, "at")?,
    })
}

pub(super) fn pause(row: &Row<'_>) -> rusqlite::Result<Pause> {
    let who: Option<String> = row.get("who")?;
    Ok(Pause {
        lane: row.get("lane")?,
        until: time(row, "paused_until")?,
        by: who.map_or(PausedBy::Worker, PausedBy::Person),
        why: row.get("why")?,
    })
}

pub(super) fn id(row: &Row<'_>, column: &str) -> rusqlite::Result<MessageId> {
    parsed(row, column)
}

pub(super) fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp)
}

fn unsigned(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let index = row.as_ref().column_index(column)?;
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
    })
}
