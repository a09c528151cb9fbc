//! What workers do, each inside of a transaction.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, params, params_from_iter};

use super::INSERT;
use super::group::execute;
use super::row::{self, messages, rows};
use crate::outbox::columns::{Dialect, SqlValue, progress_values};
use crate::outbox::head::head_to_bytes;
use crate::outbox::id::MessageId;
use crate::outbox::input::{Input, Outcome};
use crate::outbox::settlement::{self, hook_error};
use crate::outbox::store::{Enqueued, LeaseRef, Pause, PausedBy, Reaped, Settled, Settlement};
use crate::outbox::stored::{Answer, Attempt, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::outcome::BoxError;
use crate::rt::callback;
use crate::terms::outbox::State;

/// Runs the host's settling function in a transaction.
pub(super) type Hook<'a> = &'a dyn Fn(&Connection, &StoredMessage, &Answer) -> Result<(), BoxError>;

pub(super) fn enqueue(connection: &Connection, new: &NewMessage) -> rusqlite::Result<Enqueued> {
    let statement = new.insert_statement(Dialect::Sqlite);
    let stored = connection.prepare_cached(INSERT)?.execute(params_from_iter(statement.params))?;
    let content = &new.content;
    if stored == 1 {
        return Ok(Enqueued {
            id: content.id,
            idempotency_key: content.idempotency_key.clone(),
            is_duplicate: false,
        });
    }
    let known = params![content.idempotency_key, content.lane, content.dedup_key];
    let mut duplicate = connection.prepare_cached(DUPLICATE)?;
    duplicate.query_row(known, |found| {
        let idempotency_key = found.get("idempotency_key")?;
        Ok(Enqueued { id: row::id(found, "id")?, idempotency_key, is_duplicate: true })
    })
}

pub(super) fn extend(
    connection: &Connection,
    held: &LeaseRef,
    lease: Duration,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let Some(mut message) = find(connection, held.id)? else { return Ok(false) };
    let is_held = message.progress.apply(&Input::Extend { token: held.token, lease }, now).is_ok();
    if is_held {
        update(connection, &message)?;
    }
    Ok(is_held)
}

pub(super) fn keep_request(
    connection: &Connection,
    first: &LeaseRef,
    request: &[u8],
) -> rusqlite::Result<bool> {
    let held = by_id(connection, first.id)?.filter(|message| {
        message.progress.state == State::Leased && message.progress.token == first.token
    });
    let Some(message) = held else { return Ok(false) };
    connection.prepare_cached(KEEP_REQUEST)?.execute(params![request, seq(&message)])?;
    Ok(true)
}

pub(super) fn members(
    connection: &Connection,
    batch: MessageId,
) -> rusqlite::Result<Vec<StoredMessage>> {
    messages(connection, MEMBERS, [batch.to_string()])
}

/// `None` if there is no such message any more.
pub(super) fn settle(
    connection: &Connection,
    settlement: &Settlement,
    now: Timestamp,
    hook: Option<Hook<'_>>,
) -> rusqlite::Result<Option<Settled>> {
    let Some(mut message) = by_id(connection, settlement.lease.id)? else { return Ok(None) };
    let (answer, had_key) = (message.answer.clone(), message.content.dedup_key.is_some());
    let run = |message: &StoredMessage, answer: &Answer| {
        hook.map_or(Ok(()), |hook| run_hook(connection, message, answer, hook))
    };
    let (settled, attempt) = settlement::settle(&mut message, settlement, now, run);
    if settled.applied.is_some() {
        if had_key && message.content.dedup_key.is_none() {
            connection.prepare_cached(FREE_KEY)?.execute([seq(&message)])?;
        }
        update(connection, &message)?;
        if message.answer != answer {
            update_answer(connection, &message)?;
        }
    }
    record(connection, message.content.id, &attempt)?;
    Ok(Some(settled))
}

/// In a savepoint, so that nothing is left of a function that failed.
fn run_hook(
    connection: &Connection,
    message: &StoredMessage,
    answer: &Answer,
    hook: Hook<'_>,
) -> Result<(), String> {
    execute(connection, "SAVEPOINT hook").map_err(|error| error.to_string())?;
    let settled = hook_error(callback::call("on_delivered", || hook(connection, message, answer)));
    if settled.is_err() {
        let _ = execute(connection, "ROLLBACK TO hook");
    }
    let released = execute(connection, "RELEASE hook").map_err(|error| error.to_string());
    settled.and(released)
}

pub(super) fn reap(
    connection: &Connection,
    most: usize,
    now: Timestamp,
) -> rusqlite::Result<Reaped> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let leases = messages(connection, LEASES_OVER, params![now.0, limit])?;
    let deadlines = messages(connection, DEADLINES_OVER, params![now.0, limit])?;
    let has_more = leases.len() >= most || deadlines.len() >= most;
    let over = |message: &StoredMessage| match message.progress.state {
        State::Leased => Input::LeaseOver { token: message.progress.token },
        _ => Input::DeadlineOver,
    };
    let mut reaped = Reaped { changed: Vec::new(), has_more };
    for message in leases.into_iter().chain(deadlines) {
        let input = over(&message);
        recover(connection, message, &input, now, &mut reaped)?;
    }
    Ok(reaped)
}

/// Takes back every lease: those who held them are gone. Those of which nobody heard were not used.
pub(super) fn recover_all(
    connection: &Connection,
    now: Timestamp,
    unheard: &HashSet<LeaseRef>,
) -> rusqlite::Result<Reaped> {
    give_back(connection, now, unheard)?;
    let mut reaped = Reaped::default();
    for message in messages(connection, LEASES_OVER, params![i64::MAX, i64::MAX])? {
        let input = Input::OwnerGone { token: message.progress.token };
        recover(connection, message, &input, now, &mut reaped)?;
    }
    Ok(reaped)
}

/// Gives back messages that were not sent.
pub(super) fn give_back(
    connection: &Connection,
    now: Timestamp,
    unheard: &HashSet<LeaseRef>,
) -> rusqlite::Result<()> {
    for lease in unheard {
        let Some(mut message) = by_id(connection, lease.id)? else { continue };
        let unused = Input::Settle { token: lease.token, outcome: Outcome::Snooze { until: now } };
        if message.progress.apply(&unused, now).is_ok() {
            update(connection, &message)?;
        }
    }
    Ok(())
}

fn recover(
    connection: &Connection,
    mut message: StoredMessage,
    input: &Input,
    now: Timestamp,
    reaped: &mut Reaped,
) -> rusqlite::Result<()> {
    if let Ok((recovered, attempt)) = settlement::recover(&mut message, input, now) {
        update(connection, &message)?;
        if let Some(attempt) = attempt {
            record(connection, recovered.id, &attempt)?;
        }
        reaped.changed.push(recovered);
    }
    Ok(())
}

pub(super) fn pause(connection: &Connection, pause: &Pause) -> rusqlite::Result<()> {
    let who = match &pause.by {
        PausedBy::Worker => None,
        PausedBy::Person(who) => Some(who),
    };
    let values = params![pause.lane, pause.until.0, pause.why, who];
    connection.prepare_cached(PAUSE)?.execute(values).map(drop)
}

pub(super) fn pause_of(
    connection: &Connection,
    lane: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Pause>> {
    Ok(rows(connection, PAUSE_OF, params![lane, now.0], row::pause)?.pop())
}

pub(super) fn by_id(
    connection: &Connection,
    id: MessageId,
) -> rusqlite::Result<Option<StoredMessage>> {
    Ok(messages(connection, BY_ID, [id.to_string()])?.pop())
}

/// Without its request.
pub(super) fn find(
    connection: &Connection,
    id: MessageId,
) -> rusqlite::Result<Option<StoredMessage>> {
    Ok(messages(connection, FIND, [id.to_string()])?.pop())
}

pub(super) fn update(connection: &Connection, message: &StoredMessage) -> rusqlite::Result<()> {
    let mut values = progress_values(&message.progress);
    values.push(message.last_status.map(i64::from).into());
    values.push(message.last_error.clone().into());
    values.push(seq(message));
    connection.prepare_cached(UPDATE)?.execute(params_from_iter(values)).map(drop)
}

pub(super) fn update_answer(
    connection: &Connection,
    message: &StoredMessage,
) -> rusqlite::Result<()> {
    let answer = message.answer.as_ref();
    let status = answer.map(|answer| answer.status);
    let headers = answer.map(|it| head_to_bytes(&it.headers, it.sealed_by.as_deref()));
    let body = answer.map(|answer| &answer.body[..]);
    let values = params![status, headers, body, seq(message)];
    connection.prepare_cached(UPDATE_ANSWER)?.execute(values).map(drop)
}

fn record(connection: &Connection, id: MessageId, attempt: &Attempt) -> rusqlite::Result<()> {
    let values = params![
        id.to_string(),
        i64::try_from(attempt.number).unwrap_or(i64::MAX),
        attempt.owner,
        attempt.started.0,
        attempt.ended.0,
        attempt.outcome,
        attempt.status,
        attempt.class,
        attempt.request_id,
        attempt.next_at.map(|at| at.0),
        attempt.error,
    ];
    connection.prepare_cached(RECORD_ATTEMPT)?.execute(values).map(drop)
}

pub(super) fn seq(message: &StoredMessage) -> SqlValue {
    i64::try_from(message.seq).unwrap_or(i64::MAX).into()
}

pub(super) const DUPLICATE: &str = include_str!("sql/duplicate.sql");
pub(super) const BY_ID: &str = include_str!("sql/by_id.sql");
pub(super) const FIND: &str = concat!(include_str!("sql/plain.sql"), "WHERE id = ?1");
pub(super) const UPDATE: &str = include_str!("sql/update.sql");
pub(super) const UPDATE_ANSWER: &str = include_str!("sql/update_answer.sql");
pub(super) const FREE_KEY: &str = include_str!("sql/free_key.sql");
pub(super) const KEEP_REQUEST: &str = include_str!("sql/keep_request.sql");
pub(super) const MEMBERS: &str = include_str!("sql/members.sql");
pub(super) const LEASES_OVER: &str =
    concat!(include_str!("sql/plain.sql"), include_str!("sql/leases_over.sql"));
pub(super) const DEADLINES_OVER: &str =
    concat!(include_str!("sql/plain.sql"), include_str!("sql/deadlines_over.sql"));
pub(super) const RECORD_ATTEMPT: &str = include_str!("sql/record_attempt.sql");
pub(super) const PAUSE: &str = include_str!("sql/pause.sql");
pub(super) const PAUSE_OF: &str = include_str!("sql/pause_of.sql");
