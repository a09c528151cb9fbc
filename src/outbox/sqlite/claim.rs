//! Which messages a worker gets.

use rusqlite::{Connection, params};

use super::ops::{pause_of, update};
use super::row::{messages, rows};
use super::tenants;
use crate::outbox::store::{ClaimRequest, Claimed, DeadHead, are_due, take_first};
use crate::outbox::stored::StoredMessage;
use crate::outbox::time::Timestamp;
use crate::terms::outbox::Priority;

pub(super) fn claim(
    connection: &Connection,
    request: &ClaimRequest,
    now: Timestamp,
) -> rusqlite::Result<Claimed> {
    if let Some(pause) = pause_of(connection, &request.lane, now)? {
        return Ok(Claimed { messages: Vec::new(), next_due: Some(pause.until), now });
    }
    let due = match request.tenant_limit {
        Some(limit) => tenants::due(connection, request, limit, now)?,
        None => due(connection, request, now)?,
    };
    let mut next_due = None;
    for priority in Priority::ALL {
        let level = params![request.lane, *priority as u8, now.0];
        let next = rows(connection, NEXT_DUE, level, |row| row.get::<_, Option<i64>>(0))?;
        next_due = next.into_iter().flatten().map(Timestamp).chain(next_due).min();
    }
    let mut due = of_one_batch(connection, request, due, now)?;
    let count = ClaimRequest::count_sent(&due);
    due.retain_mut(|message| {
        let input = request.input(&message.content, count);
        message.progress.apply(&input, now).is_ok()
    });
    for message in &due {
        update(connection, message)?;
    }
    Ok(Claimed { messages: due, next_due, now })
}

/// Those that are due, in the order of claims.
fn due(
    connection: &Connection,
    request: &ClaimRequest,
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut due = Vec::new();
    for priority in Priority::ALL {
        due.extend(unordered(connection, request, *priority, now)?);
        due.extend(ordered(connection, request, *priority, now)?);
    }
    take_first(&mut due, request.most);
    Ok(due)
}

/// Those that are claimed.
fn of_one_batch(
    connection: &Connection,
    request: &ClaimRequest,
    mut due: Vec<StoredMessage>,
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredMessage>> {
    while let Some(batch) = request.known_batch(&due) {
        let mut members = messages(connection, BATCH, [batch.to_string()])?;
        if are_due(&members, now) {
            members.sort_by_key(|message| message.seq);
            return Ok(members);
        }
        due.retain(|message| message.progress.batch_id != Some(batch));
    }
    request.take_new(&mut due, now);
    Ok(due)
}

fn unordered(
    connection: &Connection,
    request: &ClaimRequest,
    priority: Priority,
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredMessage>> {
    messages(connection, DUE, params![request.lane, priority as u8, now.0, most(request)])
}

/// Of each order key the first, if it is due.
///
/// A backlog may have many keys, or many messages of few keys. Among the first that are due, those of many
/// keys are found soon; if these are of few, their keys are gone through one by one.
fn ordered(
    connection: &Connection,
    request: &ClaimRequest,
    priority: Priority,
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let (level, most) = (priority as u8, most(request));
    let blocks = i64::from(request.dead_head == DeadHead::Blocks);
    let seq = |row: &rusqlite::Row<'_>| row.get::<_, i64>("seq");
    let values = params![request.lane, level, now.0, most, blocks, SCANNED];
    let mut found = rows(connection, DUE_ORDERED, values, seq)?;
    if found.len() < request.most && has_more(connection, request, level, now)? {
        let values = params![request.lane, level, now.0, most, blocks];
        found = rows(connection, DUE_HEADS, values, seq)?;
    }
    by_seqs(connection, found)
}

pub(super) fn by_seqs(
    connection: &Connection,
    seqs: Vec<i64>,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut found = Vec::with_capacity(seqs.len());
    for seq in seqs {
        found.extend(messages(connection, BY_SEQ, [seq])?);
    }
    Ok(found)
}

/// Whether more are due than were looked at.
pub(super) fn has_more(
    connection: &Connection,
    request: &ClaimRequest,
    level: u8,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let values = params![request.lane, level, now.0, SCANNED];
    Ok(!rows(connection, DUE_BEYOND, values, |_| Ok(()))?.is_empty())
}

fn most(request: &ClaimRequest) -> i64 {
    i64::try_from(request.most).unwrap_or(i64::MAX)
}

pub(super) const DUE: &str = include_str!("sql/due.sql");
pub(super) const DUE_ORDERED: &str = include_str!("sql/due_ordered.sql");
pub(super) const DUE_BEYOND: &str = include_str!("sql/due_beyond.sql");
pub(super) const DUE_HEADS: &str = include_str!("sql/due_heads.sql");
pub(super) const BATCH: &str = include_str!("sql/batch.sql");
pub(super) const BY_SEQ: &str = include_str!("sql/by_seq.sql");
pub(super) const NEXT_DUE: &str = include_str!("sql/next_due.sql");
/// How many messages with order keys a claim looks at first: about a millisecond's work.
pub(super) const SCANNED: i64 = 500;
