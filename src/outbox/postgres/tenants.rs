//! Which messages are due in a lane where a tenant has a limit.

use tokio_postgres::types::Type;
use tokio_postgres::{Row, Transaction};

use super::change::integer;
use super::error::Failure;
use super::statements::Statements;
use super::values::{Param, messages};
use super::worker::{SCANNED, head_starts};
use crate::outbox::row::SqlRow;
use crate::outbox::store::{ClaimRequest, DeadHead};
use crate::outbox::stored::StoredMessage;
use crate::outbox::tenants::{Candidate, UnderWay};
use crate::outbox::time::Timestamp;

/// Those that are claimed, in order. The claims of one lane wait for each other here, so that what is counted stays true.
///
/// Looks at the first that are due, as a claim without a limit does. If these are of few tenants, who have their places, it
/// goes through all tenants and keys one by one.
pub(super) async fn due(
    tx: &Transaction<'_>,
    sql: &Statements,
    request: &ClaimRequest,
    limit: usize,
    now: Timestamp,
    lane: &Row,
) -> Result<Vec<StoredMessage>, Failure> {
    let has_beyond = lane.number::<i64>("has_beyond")? == 1;
    let lane: [Param<'_>; 1] = [(&request.lane, Type::TEXT)];
    tx.query_typed(&sql.tenant_lock, &lane).await?;
    let counts = tx.query_typed(&sql.tenant_under_way, &lane).await?;
    let counts = counts.iter().map(|row| Ok((row.text("tenant")?, row.number("number")?)));
    let under_way = UnderWay::new(limit, counts.collect::<Result<Vec<_>, Failure>>()?);
    let (blocks, starts) = (request.dead_head == DeadHead::Blocks, head_starts());
    let params: [Param<'_>; 5] = [
        (&request.lane, Type::TEXT),
        (&now.0, Type::INT8),
        (&SCANNED, Type::INT8),
        (&blocks, Type::BOOL),
        (&starts, Type::INT8_ARRAY),
    ];
    let near = tx.query_typed(&sql.tenant_near, &params).await?;
    let mut candidates = near.iter().map(candidate).collect::<Result<Vec<_>, _>>()?;
    let mut chosen = under_way.choose(candidates.clone(), request.most);
    if chosen.len() < request.most && (has_beyond || is_full(&near)?) {
        let (limit, most) = (integer(limit), integer(request.most));
        let each: [Param<'_>; 5] = [
            lane[0].clone(),
            params[1].clone(),
            (&limit, Type::INT8),
            (&starts, Type::INT8_ARRAY),
            (&most, Type::INT8),
        ];
        let mut far = tx.query_typed(&sql.tenant_each, &each).await?;
        far.extend(tx.query_typed(&sql.tenant_heads, &params).await?);
        candidates.extend(far.iter().map(candidate).collect::<Result<Vec<_>, _>>()?);
        chosen = under_way.choose(candidates, request.most);
    }
    let chosen: Vec<_> = chosen.into_iter().map(integer).collect();
    let params: [Param<'_>; 2] = [(&chosen, Type::INT8_ARRAY), (&request.lane, Type::TEXT)];
    messages(&tx.query_typed(&sql.tenant_chosen, &params).await?)
}

/// Whether of a priority more may be due without order keys.
fn is_full(near: &[Row]) -> Result<bool, Failure> {
    let mut counts = [0; 3];
    for row in near {
        if row.number::<i64>("is_ordered")? == 0 {
            counts[row.number::<usize>("priority")?.min(2)] += 1;
        }
    }
    Ok(counts.contains(&SCANNED))
}

fn candidate(row: &Row) -> Result<Candidate, Failure> {
    Ok(Candidate {
        seq: row.number("seq")?,
        tenant: row.maybe_text("tenant")?,
        due: row.number("due")?,
    })
}
