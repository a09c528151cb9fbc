//! What people do, each inside of a transaction.

use rusqlite::{Connection, params};

use super::browse::browse;
use super::connection::failed;
use super::ops::{by_id, enqueue, seq, update, update_answer};
use super::row::{self, rows};
use crate::outbox::dead_letter::{Acted, Action, Page, Selection};
use crate::outbox::error::{OutboxError, missing, refused, used_key};
use crate::outbox::id::MessageId;
use crate::outbox::input::Input;
use crate::outbox::stored::{NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;

/// Who does something, and why.
pub(super) struct Actor {
    pub(super) who: String,
    pub(super) why: String,
}

pub(super) fn act(
    connection: &Connection,
    on: &Selection,
    action: Action,
    by: &Actor,
    now: Timestamp,
) -> rusqlite::Result<Acted> {
    let mut acted = Acted::default();
    let filter = match on {
        Selection::One(id) => {
            if let Some(message) = by_id(connection, *id)? {
                act_on(connection, message, action, by, now, &mut acted)?;
            }
            return Ok(acted);
        }
        Selection::All(filter) => filter,
    };
    let mut page = Page::first(PAGE);
    loop {
        let found = browse(connection, filter, page)?;
        let Some(last) = found.last() else { return Ok(acted) };
        page = Page::after(last.seq, PAGE);
        for message in found {
            act_on(connection, message, action, by, now, &mut acted)?;
        }
    }
}

fn act_on(
    connection: &Connection,
    mut message: StoredMessage,
    action: Action,
    by: &Actor,
    now: Timestamp,
    acted: &mut Acted,
) -> rusqlite::Result<()> {
    let id = message.content.id;
    if let Err(refusal) = message.progress.apply(&action.input(), now) {
        acted.refused.push((id, refusal));
        return Ok(());
    }
    update(connection, &message)?;
    if action == Action::Erase {
        message.erase();
        connection.prepare_cached(ERASE)?.execute([seq(&message)])?;
        let batch = message.progress.batch_id.map(|batch| batch.to_string());
        connection.prepare_cached(ERASE_BATCH)?.execute([batch])?;
        update_answer(connection, &message)?;
        connection.prepare_cached(ERASE_ATTEMPTS)?.execute([id.to_string()])?;
    }
    record(connection, Some(id), None, action.name(), by, now)?;
    acted.changed.push(id);
    Ok(())
}

pub(super) fn edit(
    connection: &Connection,
    id: MessageId,
    edited: &NewMessage,
    by: &Actor,
    now: Timestamp,
) -> Result<(), OutboxError> {
    let mut message = by_id(connection, id).map_err(failed)?.ok_or_else(missing)?;
    let replace = Input::Replace { by: edited.content.id };
    message.progress.apply(&replace, now).map_err(refused)?;
    update(connection, &message).map_err(failed)?;
    // The new one gets the old one's place, and the old one a place at the end.
    let place = seq(&message);
    let moved = connection.prepare_cached(MOVE_TO_END).and_then(|mut sql| sql.execute([&place]));
    moved.map_err(failed)?;
    let edited = edited.clone().in_place_of(&message);
    if enqueue(connection, &edited).map_err(failed)?.is_duplicate {
        return Err(used_key());
    }
    let new_id = edited.content.id.to_string();
    let moved = connection.prepare_cached(MOVE);
    moved.and_then(|mut sql| sql.execute(params![new_id, place])).map_err(failed)?;
    record(connection, Some(id), None, "edit", by, now).map_err(failed)
}

pub(super) fn record(
    connection: &Connection,
    message: Option<MessageId>,
    lane: Option<&str>,
    action: &str,
    by: &Actor,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let message = message.map(|id| id.to_string());
    let values = params![message, lane, action, by.who, by.why, now.0];
    connection.prepare_cached(RECORD_ACT)?.execute(values).map(drop)
}

pub(super) fn resume(
    connection: &Connection,
    lane: &str,
    by: &Actor,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.prepare_cached(RESUME)?.execute([lane])?;
    record(connection, None, Some(lane), "resume", by, now)
}

pub(super) fn prune(
    connection: &Connection,
    before: Timestamp,
    most: usize,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection.prepare_cached(WINDOWS_OVER)?.execute(params![now.0, most])?;
    let done =
        rows(connection, DONE_BEFORE, params![before.0, most], |found| row::id(found, "id"))?;
    for id in &done {
        for sql in [REMOVE, REMOVE_ATTEMPTS] {
            connection.prepare_cached(sql)?.execute([id.to_string()])?;
        }
    }
    Ok(done.len())
}

pub(super) const ERASE: &str = include_str!("sql/erase.sql");
pub(super) const ERASE_BATCH: &str = include_str!("sql/erase_batch.sql");
pub(super) const ERASE_ATTEMPTS: &str = include_str!("sql/erase_attempts.sql");
pub(super) const RESUME: &str = include_str!("sql/resume.sql");
pub(super) const MOVE_TO_END: &str = include_str!("sql/move_to_end.sql");
pub(super) const MOVE: &str = include_str!("sql/move.sql");
pub(super) const RECORD_ACT: &str = include_str!("sql/record_act.sql");
pub(super) const DONE_BEFORE: &str = include_str!("sql/done_before.sql");
pub(super) const WINDOWS_OVER: &str = include_str!("sql/windows_over.sql");
pub(super) const REMOVE: &str = include_str!("sql/remove.sql");
pub(super) const REMOVE_ATTEMPTS: &str = include_str!("sql/remove_attempts.sql");
/// How many messages are in memory at a time.
const PAGE: usize = 500;
