//! What people do, each in a transaction of its own.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::browse::filter_params;
use super::change::{Changes, Held, hold, integer};
use super::error::Failure;
use super::statements::Statements;
use super::values::{Param, messages};
use super::worker::{begin, commit, enqueue};
use crate::outbox::dead_letter::{Acted, Action, Page, Selection};
use crate::outbox::error::{missing, refused, used_key};
use crate::outbox::id::MessageId;
use crate::outbox::input::Input;
use crate::outbox::row::SqlRow;
use crate::outbox::store::{Pause, PausedBy};
use crate::outbox::stored::NewMessage;
use crate::outbox::time::Timestamp;

/// Who does something, and why.
pub(super) struct Actor {
    pub(super) who: String,
    pub(super) why: String,
}

pub(super) async fn act(
    client: &mut Client,
    sql: &Statements,
    on: &Selection,
    action: Action,
    by: &Actor,
) -> Result<Acted, Failure> {
    let (tx, mut acted) = (begin(client).await?, Acted::default());
    match on {
        Selection::One(id) => {
            let (now, held) = hold(&tx, sql, vec![id.to_string()], &[]).await?;
            act_on(&tx, sql, held.into_values().collect(), action, by, now, &mut acted).await?;
        }
        Selection::All(filter) => {
            let mut page = Page::first(PAGE);
            loop {
                let params = filter_params(filter, page);
                let rows = tx.query_typed(&sql.chosen, &params.as_params()).await?;
                let Some(last) = rows.last() else { break };
                page = Page::after(last.number("seq")?, PAGE);
                let now = last.time("now")?;
                let held = messages(&rows)?.into_iter().map(Held::new).collect();
                act_on(&tx, sql, held, action, by, now, &mut acted).await?;
            }
        }
    }
    commit(tx).await?;
    Ok(acted)
}

async fn act_on(
    tx: &Transaction<'_>,
    sql: &Statements,
    page: Vec<Held>,
    action: Action,
    by: &Actor,
    now: Timestamp,
    acted: &mut Acted,
) -> Result<(), Failure> {
    let (mut changes, mut changed) = (Changes::new(), Vec::new());
    for mut held in page {
        let id = held.message.content.id;
        match held.message.progress.apply(&action.input(), now) {
            Ok(_) => {
                held.is_changed = true;
                changes.message(&held);
                changed.push(id);
            }
            Err(refusal) => acted.refused.push((id, refusal)),
        }
    }
    changes.write(tx, sql).await?;
    if action == Action::Erase {
        for statement in [&sql.erase, &sql.erase_batches, &sql.erase_attempts] {
            tx.execute_typed(statement, &[(&texts(&changed), Type::TEXT_ARRAY)]).await?;
        }
    }
    record(tx, sql, &changed, action.name(), by, now).await?;
    acted.changed.extend(changed);
    Ok(())
}

pub(super) async fn edit(
    client: &mut Client,
    sql: &Statements,
    id: MessageId,
    edited: &NewMessage,
    by: &Actor,
) -> Result<(), Failure> {
    let tx = begin(client).await?;
    if let Some(key) = &edited.content.order_key {
        let params: [Param<'_>; 2] = [(&edited.content.lane, Type::TEXT), (key, Type::TEXT)];
        tx.query_typed(&sql.order_lock, &params).await?;
    }
    let (now, mut held) = hold(&tx, sql, vec![id.to_string()], &[]).await?;
    let mut held = held.remove(&id).ok_or_else(missing)?;
    let replace = Input::Replace { by: edited.content.id };
    held.message.progress.apply(&replace, now).map_err(refused)?;
    held.is_changed = true;
    let mut changes = Changes::new();
    changes.message(&held);
    changes.write(&tx, sql).await?;
    // The new one gets the old one's place, and the old one a place at the end.
    tx.execute_typed(&sql.move_to_end, &[(&id.to_string(), Type::TEXT)]).await?;
    let edited = edited.clone().in_place_of(&held.message);
    let stored = enqueue(&tx, sql, std::slice::from_ref(&edited)).await?;
    if stored.iter().any(|stored| stored.is_duplicate) {
        return Err(used_key().into());
    }
    let (new, place) = (edited.content.id.to_string(), integer(held.message.seq));
    tx.execute_typed(&sql.move_seq, &[(&new, Type::TEXT), (&place, Type::INT8)]).await?;
    record(&tx, sql, &[id], "edit", by, now).await?;
    commit(tx).await
}

async fn record(
    tx: &Transaction<'_>,
    sql: &Statements,
    ids: &[MessageId],
    action: &str,
    by: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    tx.execute_typed(
        &sql.record_acts,
        &[
            (&texts(ids), Type::TEXT_ARRAY),
            (&action, Type::TEXT),
            (&by.who, Type::TEXT),
            (&by.why, Type::TEXT),
            (&now.0, Type::INT8),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn pause(client: &Client, sql: &Statements, pause: &Pause) -> Result<(), Failure> {
    let who = match &pause.by {
        PausedBy::Worker => None,
        PausedBy::Person(who) => Some(who),
    };
    let params: [Param<'_>; 4] = [
        (&pause.lane, Type::TEXT),
        (&pause.until.0, Type::INT8),
        (&pause.why, Type::TEXT),
        (&who, Type::TEXT),
    ];
    client.execute_typed(&sql.pause, &params).await.map(drop).map_err(Failure::in_doubt)
}

pub(super) async fn resume(
    client: &Client,
    sql: &Statements,
    lane: &str,
    by: &Actor,
) -> Result<(), Failure> {
    let params: [Param<'_>; 3] =
        [(&lane, Type::TEXT), (&by.who, Type::TEXT), (&by.why, Type::TEXT)];
    client.execute_typed(&sql.resume, &params).await.map(drop).map_err(Failure::in_doubt)
}

pub(super) async fn prune(
    client: &Client,
    sql: &Statements,
    before: Timestamp,
    most: usize,
) -> Result<usize, Failure> {
    let most = integer(most);
    client.execute_typed(&sql.windows_over, &[(&most, Type::INT8)]).await?;
    let params: [Param<'_>; 2] = [(&before.0, Type::INT8), (&most, Type::INT8)];
    let removed = client.execute_typed(&sql.prune, &params).await;
    Ok(usize::try_from(removed.map_err(Failure::in_doubt)?).unwrap_or(usize::MAX))
}

fn texts(ids: &[MessageId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// How many messages are in memory at a time.
const PAGE: usize = 500;
