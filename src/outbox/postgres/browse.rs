//! What is only read.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, IsolationLevel};

use super::change::integer;
use super::error::Failure;
use super::statements::Statements;
use super::values::{Param, messages};
use crate::outbox::dead_letter::{Filter, Page};
use crate::outbox::id::MessageId;
use crate::outbox::row::{self, SqlRow};
use crate::outbox::stats::LaneStats;
use crate::outbox::stored::{History, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::{DeadReason, State};

/// The parameters of a filter and a page.
pub(super) struct FilterParams([(Box<dyn ToSql + Sync + Send>, Type); 13]);

impl FilterParams {
    pub(super) fn as_params(&self) -> [Param<'_>; 13] {
        self.0.each_ref().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
    }
}

pub(super) fn filter_params(filter: &Filter, page: Page) -> FilterParams {
    let is_text = |id: &MessageId| filter.named.as_ref() == Some(&id.to_string());
    let id = filter.named.as_ref().and_then(|name| name.parse().ok()).filter(is_text);
    FilterParams([
        (Box::new(page.after.map_or(-1, integer)), Type::INT8),
        (Box::new(filter.lane.clone()), Type::TEXT),
        (Box::new(filter.state.map(State::name)), Type::TEXT),
        (Box::new(filter.reason.map(DeadReason::name)), Type::TEXT),
        (Box::new(filter.order_key.clone()), Type::TEXT),
        (Box::new(filter.created_from.map(|at| at.0)), Type::INT8),
        (Box::new(filter.created_before.map(|at| at.0)), Type::INT8),
        (Box::new(integer(page.size)), Type::INT8),
        (Box::new(filter.named.clone()), Type::TEXT),
        (Box::new(id.map(|id| id.to_string())), Type::TEXT),
        (Box::new(filter.status.map(i32::from)), Type::INT4),
        (Box::new(filter.key_prefix.clone()), Type::TEXT),
        (Box::new(filter.error.clone()), Type::TEXT),
    ])
}

pub(super) async fn now(client: &Client, sql: &Statements) -> Result<Timestamp, Failure> {
    Ok(client.query_typed_one(&sql.now, &[]).await?.time("now")?)
}

pub(super) async fn browse(
    client: &Client,
    sql: &Statements,
    filter: &Filter,
    page: Page,
) -> Result<Vec<StoredMessage>, Failure> {
    let params = filter_params(filter, page);
    messages(&client.query_typed(&sql.browse, &params.as_params()).await?)
}

pub(super) async fn count(
    client: &Client,
    sql: &Statements,
    filter: &Filter,
) -> Result<u64, Failure> {
    let params = filter_params(filter, Page::first(0));
    Ok(client.query_typed_one(&sql.count, &params.as_params()).await?.number("count")?)
}

/// Without its request.
pub(super) async fn find(
    client: &Client,
    sql: &Statements,
    id: MessageId,
) -> Result<Option<StoredMessage>, Failure> {
    let found = client.query_typed(&sql.find, &[(&id.to_string(), Type::TEXT)]).await?;
    Ok(messages(&found)?.pop())
}

pub(super) async fn get(
    client: &mut Client,
    sql: &Statements,
    id: MessageId,
) -> Result<Option<History>, Failure> {
    // All of it as it was at one time.
    let builder = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let tx = builder.read_only(true).start().await?;
    let id = id.to_string();
    let params: [Param<'_>; 1] = [(&id, Type::TEXT)];
    let found = tx.query_typed(&sql.by_id, &params).await?;
    let attempts = tx.query_typed(&sql.attempts, &params).await?;
    let acts = tx.query_typed(&sql.acts, &params).await?;
    tx.commit().await?;
    let Some(message) = messages(&found)?.pop() else { return Ok(None) };
    let attempts = attempts.iter().map(row::attempt).collect::<Result<_, _>>()?;
    let acts = acts.iter().map(row::act).collect::<Result<_, _>>()?;
    Ok(Some(History { message, attempts, acts }))
}

pub(super) async fn stats(
    client: &Client,
    sql: &Statements,
    lane: &str,
) -> Result<LaneStats, Failure> {
    let params: [Param<'_>; 1] = [(&lane, Type::TEXT)];
    let paused = client.query_typed_opt(&sql.paused, &params).await?;
    let paused = paused.as_ref().map(row::pause).transpose()?;
    let mut stats = LaneStats { paused, ..LaneStats::default() };
    let earlier =
        |known: Option<Timestamp>, other: Option<Timestamp>| known.into_iter().chain(other).min();
    for row in client.query_typed(&sql.stats, &params).await? {
        let (number, oldest) = (row.number("number")?, row.maybe_time("oldest")?);
        match &row.text("state")?[..] {
            "dead" => {
                let reason = row.maybe_text("dead_reason")?;
                let reason = reason.and_then(|reason| DeadReason::from_name(&reason));
                stats.dead.extend(reason.map(|reason| (reason, number)));
                stats.oldest_dead = earlier(stats.oldest_dead, oldest);
                continue;
            }
            "leased" => stats.leased = number,
            _ => (stats.ready, stats.due) = (number, row.number("due")?),
        }
        stats.polling += row.number::<u64>("polling")?;
        stats.unknown += row.number::<u64>("unknown")?;
        stats.oldest_undelivered = earlier(stats.oldest_undelivered, oldest);
    }
    Ok(stats)
}
