//! Which messages are due in a lane where a tenant has a limit.

use rusqlite::{Connection, Row, ToSql, params};

use super::claim::{DUE_HEADS, DUE_ORDERED, SCANNED, by_seqs, has_more};
use super::row::rows;
use crate::outbox::store::{ClaimRequest, DeadHead, head_start};
use crate::outbox::stored::StoredMessage;
use crate::outbox::tenants::{Candidate, UnderWay};
use crate::outbox::time::Timestamp;
use crate::terms::outbox::Priority;

/// Those that are claimed, in order.
///
/// Looks at the first that are due, as a claim without a limit does. If these are of few tenants, who have their places, it
/// goes through all tenants and keys one by one.
pub(super) fn due(
    connection: &Connection,
    request: &ClaimRequest,
    limit: usize,
    now: Timestamp,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let counts = rows(connection, UNDER_WAY, [&request.lane], |row| {
        Ok((row.get("tenant")?, row.get::<_, i64>("number")?.try_into().unwrap_or(usize::MAX)))
    })?;
    let under_way = UnderWay::new(limit, counts);
    let (mut candidates, mut beyond) = (Vec::new(), Vec::new());
    for priority in Priority::ALL {
        let level = Level { connection, request, priority: *priority, now };
        let unordered = level.find(DUE_NEAR, SCANNED, &[])?;
        let has_more_unordered = i64::try_from(unordered.len()) == Ok(SCANNED);
        candidates.extend(unordered);
        candidates.extend(level.find(DUE_ORDERED, SCANNED, &[&level.blocks(), &SCANNED])?);
        if has_more_unordered || has_more(connection, request, *priority as u8, now)? {
            beyond.push(level);
        }
    }
    let mut chosen = under_way.choose(candidates.clone(), request.most);
    if chosen.len() < request.most && !beyond.is_empty() {
        for level in beyond {
            candidates.extend(level.find(DUE_HEADS, i64::MAX, &[&level.blocks()])?);
            level.each_tenant(&under_way, &mut candidates)?;
        }
        chosen = under_way.choose(candidates, request.most);
    }
    by_seqs(connection, chosen.into_iter().filter_map(|seq| i64::try_from(seq).ok()).collect())
}

/// The messages of one priority.
struct Level<'a> {
    connection: &'a Connection,
    request: &'a ClaimRequest,
    priority: Priority,
    now: Timestamp,
}

impl Level<'_> {
    fn each_tenant(
        &self,
        under_way: &UnderWay,
        candidates: &mut Vec<Candidate>,
    ) -> rusqlite::Result<()> {
        let mut tenant = Some(String::new());
        while let Some(last) = tenant {
            let next = self.connection.prepare_cached(NEXT_TENANT)?;
            tenant = { next }.query_row(params![self.request.lane, last], |row| row.get(0))?;
            let Some(tenant) = &tenant else { break };
            let places = under_way.places(tenant).min(self.request.most);
            let places = i64::try_from(places).unwrap_or(i64::MAX);
            if places > 0 {
                candidates.extend(self.find(DUE_OF_TENANT, places, &[tenant])?);
            }
        }
        Ok(())
    }

    fn find(&self, sql: &str, most: i64, more: &[&dyn ToSql]) -> rusqlite::Result<Vec<Candidate>> {
        let level = params![self.request.lane, self.priority as u8, self.now.0, most];
        rows(self.connection, sql, &[level, more].concat()[..], |row| self.candidate(row))
    }

    fn candidate(&self, row: &Row<'_>) -> rusqlite::Result<Candidate> {
        let due = Timestamp(row.get("not_before")?).minus(head_start(self.priority));
        let seq: i64 = row.get("seq")?;
        Ok(Candidate {
            seq: u64::try_from(seq).unwrap_or_default(),
            tenant: row.get("tenant")?,
            due: due.0,
        })
    }

    fn blocks(&self) -> i64 {
        i64::from(self.request.dead_head == DeadHead::Blocks)
    }
}

pub(super) const UNDER_WAY: &str = include_str!("sql/under_way.sql");
pub(super) const DUE_NEAR: &str = include_str!("sql/due_near.sql");
pub(super) const DUE_OF_TENANT: &str = include_str!("sql/due_of_tenant.sql");
pub(super) const NEXT_TENANT: &str = include_str!("sql/next_tenant.sql");
