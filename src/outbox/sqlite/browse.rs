//! What is only read.

use rusqlite::{Connection, ToSql, params};

use super::ops::{by_id, pause_of};
use super::row::{self, maybe_time, messages, rows};
use crate::outbox::dead_letter::{Filter, Page};
use crate::outbox::id::MessageId;
use crate::outbox::stats::LaneStats;
use crate::outbox::stored::{History, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::{DeadReason, Priority, State};

pub(super) fn browse(
    connection: &Connection,
    filter: &Filter,
    page: Page,
) -> rusqlite::Result<Vec<StoredMessage>> {
    with_params(filter, page, |params| messages(connection, way_to(filter).browse, params))
}

pub(super) fn find_count(connection: &Connection, filter: &Filter) -> rusqlite::Result<u64> {
    with_params(filter, Page::first(0), |params| {
        let mut statement = connection.prepare_cached(way_to(filter).count)?;
        statement.query_row(params, |row| count(row, 0))
    })
}

/// How messages are found.
pub(super) struct Way {
    pub(super) browse: &'static str,
    pub(super) count: &'static str,
}

fn way_to(filter: &Filter) -> &'static Way {
    match (&filter.named, filter.state) {
        (Some(_), _) => &NAMED,
        (None, Some(State::Dead)) => &DEAD,
        _ if filter.lane.is_some() => &OF_LANE,
        _ => &ALL,
    }
}

fn with_params<T>(filter: &Filter, page: Page, run: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
    run(params![
        page.after.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX)),
        filter.lane,
        filter.state.map(State::name),
        filter.reason.map(DeadReason::name),
        filter.order_key,
        filter.created_from.map(|at| at.0),
        filter.created_before.map(|at| at.0),
        i64::try_from(page.size).unwrap_or(i64::MAX),
        filter.named,
        filter.status,
        filter.key_prefix,
        filter.error,
    ])
}

pub(super) fn get(connection: &Connection, id: MessageId) -> rusqlite::Result<Option<History>> {
    let Some(message) = by_id(connection, id)? else { return Ok(None) };
    let attempts = rows(connection, ATTEMPTS, [id.to_string()], row::attempt)?;
    let acts = rows(connection, ACTS, [id.to_string()], row::act)?;
    Ok(Some(History { message, attempts, acts }))
}

pub(super) fn stats(
    connection: &Connection,
    lane: &str,
    now: Timestamp,
) -> rusqlite::Result<LaneStats> {
    let mut stats = LaneStats { paused: pause_of(connection, lane, now)?, ..LaneStats::default() };
    let mut oldest = Vec::new();
    for priority in Priority::ALL {
        rows(connection, STATS_READY, params![lane, *priority as u8, now.0], |row| {
            stats.ready += count(row, 0)?;
            stats.due += count(row, 1)?;
            stats.polling += count(row, 2)?;
            stats.unknown += count(row, 3)?;
            oldest.push(row.get::<_, Option<i64>>(4)?);
            Ok(())
        })?;
    }
    connection.prepare_cached(STATS_LEASED)?.query_row([lane], |row| {
        stats.leased = count(row, 0)?;
        stats.polling += count(row, 1)?;
        stats.unknown += count(row, 2)?;
        oldest.push(row.get::<_, Option<i64>>(3)?);
        Ok(())
    })?;
    stats.oldest_undelivered = oldest.into_iter().flatten().min().map(Timestamp);
    let dead = rows(connection, STATS_DEAD, [lane], |row| {
        let reason: Option<String> = row.get("dead_reason")?;
        Ok((reason, count(row, 1)?, maybe_time(row, "oldest")?))
    })?;
    for (reason, number, oldest) in dead {
        if let Some(reason) = reason.and_then(|reason| DeadReason::from_name(&reason)) {
            stats.dead.insert(reason, number);
        }
        stats.oldest_dead = stats.oldest_dead.into_iter().chain(oldest).min();
    }
    Ok(stats)
}

fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
}

macro_rules! way {
    ($from:literal) => {
        Way {
            browse: concat!(
                "SELECT * ",
                include_str!($from),
                include_str!("sql/filter.sql"),
                "ORDER BY seq LIMIT ?8"
            ),
            count: concat!("SELECT count(*) ", include_str!($from), include_str!("sql/filter.sql")),
        }
    };
}

pub(super) const ALL: Way = way!("sql/all.sql");
pub(super) const OF_LANE: Way = way!("sql/of_lane.sql");
pub(super) const NAMED: Way = way!("sql/named.sql");
pub(super) const DEAD: Way = way!("sql/dead.sql");
pub(super) const ATTEMPTS: &str = include_str!("sql/attempts.sql");
pub(super) const ACTS: &str = include_str!("sql/acts.sql");
pub(super) const STATS_READY: &str = include_str!("sql/stats_ready.sql");
pub(super) const STATS_LEASED: &str = include_str!("sql/stats_leased.sql");
pub(super) const STATS_DEAD: &str = include_str!("sql/stats_dead.sql");
