//! What workers do, each in a transaction of its own.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction};

use super::change::{Changes, Held, hold, integer};
use super::error::Failure;
use super::hook::{self, PostgresHook};
use super::statements::Statements;
use super::tenants;
use super::unheard::UnheardClaims;
use super::values::{Columns, ENQUEUE, Param, enqueue_values, messages};
use crate::outbox::hooks::Hooks;
use crate::outbox::id::MessageId;
use crate::outbox::input::Input;
use crate::outbox::row::SqlRow;
use crate::outbox::settlement;
use crate::outbox::store::{
    ClaimRequest, Claimed, DeadHead, Enqueued, LeaseRef, Reaped, Settled, Settlement, are_due,
    head_start, take_first,
};
use crate::outbox::stored::{Attempt, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::{Priority, State};

/// Begins a transaction, whatever isolation is the database's default.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>, Failure> {
    let builder = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
    Ok(builder.start().await?)
}

pub(super) async fn commit(tx: Transaction<'_>) -> Result<(), Failure> {
    tx.commit().await.map_err(Failure::in_doubt)
}

/// One statement, and a transaction of its own if it stands in none. It may be done twice.
pub(super) async fn enqueue(
    client: &impl tokio_postgres::GenericClient,
    sql: &Statements,
    new: &[NewMessage],
) -> Result<Vec<Enqueued>, Failure> {
    let mut columns = Columns::new(ENQUEUE);
    new.iter().for_each(|new| columns.push(enqueue_values(new)));
    let rows = client.query_typed(&sql.enqueue, &columns.params()).await?;
    let enqueued = rows.iter().map(|row| {
        Ok(Enqueued {
            id: row.parsed("stored_id")?,
            idempotency_key: row.text("stored_key")?,
            is_duplicate: row.number::<i64>("is_duplicate")? == 1,
        })
    });
    enqueued.collect()
}

pub(super) async fn claim(
    client: &mut Client,
    sql: &Statements,
    request: &ClaimRequest,
    unheard: &UnheardClaims,
) -> Result<Claimed, Failure> {
    unheard.give_back(client, sql, &request.lane).await?;
    let params: [Param<'_>; 2] = [(&request.lane, Type::TEXT), (&SCANNED, Type::INT8)];
    let row = client.query_typed_one(&sql.lane, &params).await?;
    let (now, paused) = (row.time("now")?, row.maybe_time("paused_until")?);
    if let Some(until) = paused.filter(|until| *until > now) {
        return Ok(Claimed { messages: Vec::new(), next_due: Some(until), now });
    }
    let next_due = row.maybe_time("next_due")?;
    let mut claimed = Claimed { messages: Vec::new(), next_due, now };
    if row.number::<i64>("has_due")? == 0 || request.most == 0 {
        return Ok(claimed);
    }
    let tx = begin(client).await?;
    let due = match request.tenant_limit {
        Some(limit) => tenants::due(&tx, sql, request, limit, now, &row).await?,
        None => due(&tx, sql, request, now, &row).await?,
    };
    let due = of_one_batch(&tx, sql, request, due, now).await?;
    let (mut changes, count) = (Changes::new(), ClaimRequest::count_sent(&due));
    for message in due {
        let (input, mut held) = (request.input(&message.content, count), Held::new(message));
        held.is_changed = held.message.progress.apply(&input, now).is_ok();
        changes.message(&held);
        claimed.messages.extend(held.is_changed.then_some(held.message));
    }
    changes.write(&tx, sql).await?;
    let committing = unheard.committing(&claimed.messages);
    commit(tx).await?;
    committing.heard();
    Ok(claimed)
}

/// Those that are due, in the order of claims.
async fn due(
    tx: &Transaction<'_>,
    sql: &Statements,
    request: &ClaimRequest,
    now: Timestamp,
    lane: &Row,
) -> Result<Vec<StoredMessage>, Failure> {
    let (most, blocks) = (integer(request.most), request.dead_head == DeadHead::Blocks);
    let params: [Param<'_>; 6] = [
        (&request.lane, Type::TEXT),
        (&now.0, Type::INT8),
        (&most, Type::INT8),
        (&blocks, Type::BOOL),
        (&head_starts(), Type::INT8_ARRAY),
        (&SCANNED, Type::INT8),
    ];
    if lane.number::<i64>("has_ordered")? == 0 {
        return messages(&tx.query_typed(&sql.due_plain, &params).await?);
    }
    let mut due = messages(&tx.query_typed(&sql.due, &params).await?)?;
    if due.len() < request.most && lane.number::<i64>("has_beyond")? == 1 {
        due.retain(|message| message.content.order_key.is_none());
        due.extend(messages(&tx.query_typed(&sql.due_heads, &params[..5]).await?)?);
        take_first(&mut due, request.most);
    }
    Ok(due)
}

/// Of each priority, in milliseconds.
pub(super) fn head_starts() -> Vec<i64> {
    Priority::ALL.iter().map(|priority| integer(head_start(*priority).as_millis())).collect()
}

/// Those that are claimed.
async fn of_one_batch(
    tx: &Transaction<'_>,
    sql: &Statements,
    request: &ClaimRequest,
    mut due: Vec<StoredMessage>,
    now: Timestamp,
) -> Result<Vec<StoredMessage>, Failure> {
    while let Some(batch) = request.known_batch(&due) {
        let rows = tx.query_typed(&sql.batch, &[(&batch.to_string(), Type::TEXT)]).await?;
        let open = rows.first().map_or(Ok(0), |row| row.number::<usize>("open"))?;
        let members = messages(&rows)?;
        if members.len() == open && are_due(&members, now) {
            return Ok(members);
        }
        due.retain(|message| message.progress.batch_id != Some(batch));
    }
    request.take_new(&mut due, now);
    Ok(due)
}

pub(super) async fn members(
    client: &Client,
    sql: &Statements,
    batch: MessageId,
) -> Result<Vec<StoredMessage>, Failure> {
    messages(&client.query_typed(&sql.members, &[(&batch.to_string(), Type::TEXT)]).await?)
}

/// One statement, and a transaction of its own.
pub(super) async fn keep_request(
    client: &Client,
    sql: &Statements,
    first: &LeaseRef,
    request: &[u8],
) -> Result<bool, Failure> {
    let (id, token) = (first.id.to_string(), integer(first.token));
    let params: [Param<'_>; 3] = [(&id, Type::TEXT), (&token, Type::INT8), (&request, Type::BYTEA)];
    Ok(client.execute_typed(&sql.keep_request, &params).await? == 1)
}

pub(super) async fn extend(
    client: &mut Client,
    sql: &Statements,
    leases: &[LeaseRef],
    lease: Duration,
) -> Result<Vec<bool>, Failure> {
    let tx = begin(client).await?;
    let ids = leases.iter().map(|lease| lease.id.to_string()).collect();
    let (now, mut held) = hold(&tx, sql, ids, &[]).await?;
    let extend = |one: &LeaseRef| {
        let Some(held) = held.get_mut(&one.id) else { return false };
        let input = Input::Extend { token: one.token, lease };
        let is_held = held.message.progress.apply(&input, now).is_ok();
        held.is_changed |= is_held;
        is_held
    };
    let extended = leases.iter().map(extend).collect();
    let mut changes = Changes::new();
    held.values().for_each(|held| changes.message(held));
    changes.write(&tx, sql).await?;
    commit(tx).await?;
    Ok(extended)
}

pub(super) async fn settle(
    client: &mut Client,
    sql: &Statements,
    settlements: &[Settlement],
    hooks: &Hooks<PostgresHook>,
    conflicts: &AtomicU32,
) -> Result<Vec<Option<Settled>>, Failure> {
    let tx = begin(client).await?;
    let ids = settlements.iter().map(|settlement| settlement.lease.id.to_string()).collect();
    let hooked: Vec<_> = hooks.lanes().collect();
    let (now, mut held) = hold(&tx, sql, ids, &hooked).await?;
    let (mut changes, mut done) = (Changes::new(), Vec::with_capacity(settlements.len()));
    for settlement in settlements {
        let Some(held) = held.get_mut(&settlement.lease.id) else {
            done.push(None);
            continue;
        };
        let answer = held.message.answer.clone();
        let had_key = held.message.content.dedup_key.is_some();
        let (settled, attempt) = settle_one(&tx, held, settlement, now, hooks, conflicts).await?;
        held.is_changed |= settled.applied.is_some();
        held.is_answer_changed |= settled.applied.is_some() && held.message.answer != answer;
        if had_key && held.message.content.dedup_key.is_none() {
            changes.free_key(settlement.lease.id);
        }
        changes.attempt(settlement.lease.id, attempt);
        done.push(Some(settled));
    }
    held.values().for_each(|held| changes.message(held));
    changes.write(&tx, sql).await?;
    commit(tx).await?;
    Ok(done)
}

/// The machine asks for the host's function in the middle, and the function waits for the database: so a
/// copy tells first whether it is asked for.
async fn settle_one(
    tx: &Transaction<'_>,
    held: &mut Held,
    settlement: &Settlement,
    now: Timestamp,
    hooks: &Hooks<PostgresHook>,
    conflicts: &AtomicU32,
) -> Result<(Settled, Attempt), Failure> {
    let Some(hook) = hooks.of(&held.message.content.lane) else {
        return Ok(settlement::settle(&mut held.message, settlement, now, |_, _| Ok(())));
    };
    let (mut tried, mut asked) = (held.message.clone(), None);
    let settled = settlement::settle(&mut tried, settlement, now, |message, answer| {
        asked = Some((message.clone(), answer.clone()));
        Ok(())
    });
    if let Some((message, answer)) = asked
        && let Err(why) = hook::run(tx, hook.as_ref(), conflicts, &message, &answer).await?
    {
        return Ok(settlement::settle(&mut held.message, settlement, now, |_, _| Err(why)));
    }
    held.message = tried;
    Ok(settled)
}

pub(super) async fn reap(
    client: &mut Client,
    sql: &Statements,
    most: usize,
) -> Result<Reaped, Failure> {
    let tx = begin(client).await?;
    let row = tx.query_typed_one(&sql.reap_lock, &[]).await?;
    if row.number::<i64>("is_mine")? == 0 {
        // Another worker is at it.
        return commit(tx).await.map(|()| Reaped::default());
    }
    let (now, mut reaped, mut changes) = (row.time("now")?, Reaped::default(), Changes::new());
    let limit = integer(most);
    let params: [Param<'_>; 2] = [(&now.0, Type::INT8), (&limit, Type::INT8)];
    for statement in [&sql.leases_over, &sql.deadlines_over] {
        let over = messages(&tx.query_typed(statement, &params).await?)?;
        reaped.has_more |= over.len() >= most;
        for message in over {
            let input = match message.progress.state {
                State::Leased => Input::LeaseOver { token: message.progress.token },
                _ => Input::DeadlineOver,
            };
            let mut held = Held::new(message);
            let Ok((recovered, attempt)) = settlement::recover(&mut held.message, &input, now)
            else {
                continue;
            };
            held.is_changed = true;
            changes.message(&held);
            attempt.into_iter().for_each(|attempt| changes.attempt(recovered.id, attempt));
            reaped.changed.push(recovered);
        }
    }
    changes.write(&tx, sql).await?;
    commit(tx).await?;
    Ok(reaped)
}

/// How many messages with order keys a claim looks at first: about a millisecond's work. If these are of few keys, the
/// keys are gone through one by one.
pub(super) const SCANNED: i64 = 500;
