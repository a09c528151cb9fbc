//! Rows of SQL stores as messages, attempts, acts and pauses. Columns are found by their names, because a
//! later version may have more of them.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::head::head_from_bytes;
use super::progress::{Lease, Progress};
use super::store::{Pause, PausedBy};
use super::stored::{Act, Answer, Attempt, Content, StoredMessage};
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, Priority, State};

/// What a database's row has to be able to do.
pub(crate) trait SqlRow {
    /// Why a column can't be read.
    type Error;

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, Self::Error>;

    fn maybe_text(&self, column: &str) -> Result<Option<String>, Self::Error>;

    fn maybe_bytes(&self, column: &str) -> Result<Option<Bytes>, Self::Error>;

    /// The column has a value that can't be what it stands for.
    fn invalid(&self, column: &str) -> Self::Error;

    fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, Self::Error> {
        self.maybe_number(column)?.ok_or_else(|| self.invalid(column))
    }

    fn maybe_number<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>, Self::Error> {
        let number = self.maybe_integer(column)?.map(T::try_from).transpose();
        number.map_err(|_| self.invalid(column))
    }

    fn time(&self, column: &str) -> Result<Timestamp, Self::Error> {
        self.number(column).map(Timestamp)
    }

    fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, Self::Error> {
        Ok(self.maybe_integer(column)?.map(Timestamp))
    }

    fn text(&self, column: &str) -> Result<String, Self::Error> {
        self.maybe_text(column)?.ok_or_else(|| self.invalid(column))
    }

    fn parsed<T: FromStr>(&self, column: &str) -> Result<T, Self::Error> {
        self.text(column)?.parse().map_err(|_| self.invalid(column))
    }

    fn maybe_parsed<T: FromStr>(&self, column: &str) -> Result<Option<T>, Self::Error> {
        let value = self.maybe_text(column)?.map(|text| text.parse()).transpose();
        value.map_err(|_| self.invalid(column))
    }

    fn bytes(&self, column: &str) -> Result<Bytes, Self::Error> {
        self.maybe_bytes(column)?.ok_or_else(|| self.invalid(column))
    }
}

/// `None` for a message in a state that only a later version knows: it is left alone.
pub(crate) fn message<R: SqlRow>(row: &R) -> Result<Option<StoredMessage>, R::Error> {
    let Some(progress) = progress(row)? else { return Ok(None) };
    let answer = match row.maybe_number("answer_status")? {
        None => None,
        Some(status) => {
            let (headers, sealed_by) = head_from_bytes(&row.bytes("answer_headers")?);
            Some(Answer { status, headers, body: row.bytes("answer_body")?, sealed_by })
        }
    };
    Ok(Some(StoredMessage {
        seq: row.number("seq")?,
        content: content(row)?,
        progress,
        last_status: row.maybe_number("last_status")?,
        last_error: row.maybe_text("last_error")?,
        answer,
        batch_request: row.maybe_bytes("batch_request")?,
    }))
}

fn content<R: SqlRow>(row: &R) -> Result<Content, R::Error> {
    let priority: usize = row.number("priority")?;
    let (headers, sealed_by) = head_from_bytes(&row.bytes("headers")?);
    Ok(Content {
        id: row.parsed("id")?,
        lane: row.text("lane")?,
        idempotency_key: row.text("idempotency_key")?,
        dedup_key: row.maybe_text("dedup_key")?,
        order_key: row.maybe_text("order_key")?,
        correlation_id: row.maybe_text("correlation_id")?,
        traceparent: row.maybe_text("traceparent")?,
        template: row.maybe_text("template")?,
        method: row.parsed("method")?,
        uri: row.parsed("uri")?,
        headers,
        body: row.bytes("body")?,
        fingerprint: row.text("fingerprint")?,
        priority: Priority::ALL.get(priority).copied().unwrap_or_default(),
        keep_answer: row.number("keep_answer")?,
        tenant: row.maybe_text("tenant")?,
        created: row.time("created")?,
        sealed_by,
    })
}

fn progress<R: SqlRow>(row: &R) -> Result<Option<Progress>, R::Error> {
    let state = State::from_name(&row.text("state")?);
    let phase = Phase::from_name(&row.text("phase")?);
    let (Some(state), Some(phase)) = (state, phase) else { return Ok(None) };
    let reason = row.maybe_text("dead_reason")?;
    let (owner, until) = (row.maybe_text("lease_owner")?, row.maybe_time("lease_until")?);
    Ok(Some(Progress {
        state,
        phase,
        dead_reason: reason.and_then(|reason| DeadReason::from_name(&reason)),
        attempt: row.number("attempt")?,
        max_attempts: row.number("max_attempts")?,
        hook_attempts: row.number("hook_attempts")?,
        snoozes: row.number("snoozes")?,
        unknown: row.number("unknown")?,
        not_before: row.time("not_before")?,
        max_age: Duration::from_millis(row.number("max_age")?),
        deadline: row.time("deadline")?,
        key_valid_until: row.maybe_time("key_valid_until")?,
        first_attempt: row.maybe_time("first_attempt")?,
        settled: row.maybe_time("settled")?,
        token: row.number("token")?,
        lease: owner.zip(until).map(|(owner, until)| Lease { owner, until }),
        replays: row.number("replays")?,
        replaced_by: row.maybe_parsed("replaced_by")?,
        erased: row.maybe_integer("erased")? == Some(1),
        poll_uri: row.maybe_text("poll_uri")?,
        unknown_before: row.number("unknown_before")?,
        dedup_window: Duration::from_millis(row.number("dedup_window")?),
        dedup_until: row.maybe_time("dedup_until")?,
        batch_id: row.maybe_parsed("batch_id")?,
        batch_size: row.number("batch_size")?,
    }))
}

pub(crate) fn attempt<R: SqlRow>(row: &R) -> Result<Attempt, R::Error> {
    Ok(Attempt {
        number: row.number("number")?,
        owner: row.text("owner")?,
        started: row.time("started")?,
        ended: row.time("ended")?,
        outcome: row.text("outcome")?,
        status: row.maybe_number("status")?,
        class: row.maybe_text("class")?,
        request_id: row.maybe_text("request_id")?,
        next_at: row.maybe_time("next_at")?,
        error: row.maybe_text("error")?,
    })
}

pub(crate) fn act<R: SqlRow>(row: &R) -> Result<Act, R::Error> {
    Ok(Act {
        message: row.maybe_parsed("message")?,
        lane: row.maybe_text("lane")?,
        action: row.text("action")?,
        who: row.text("who")?,
        why: row.text("why")?,
        at: row.time("at")?,
    })
}

pub(crate) fn pause<R: SqlRow>(row: &R) -> Result<Pause, R::Error> {
    Ok(Pause {
        lane: row.text("lane")?,
        until: row.time("paused_until")?,
        by: row.maybe_text("who")?.map_or(PausedBy::Worker, PausedBy::Person),
        why: row.text("why")?,
    })
}
