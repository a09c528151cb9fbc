//! Leases in the database.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::fair::{Holder, Millionths, Portion};
use super::ledger::{FORGOTTEN, Ledger, LedgerEntry};
use crate::fleet::database::Database;
use crate::outbox::postgres::{Param, SqlRow};
use crate::outbox::{OutboxError, OutboxErrorKind};
use crate::rt::{self, Rng};

/// Who asks for a lease of what, and for how long.
pub(super) struct LeaseRequest<'a> {
    pub(super) account: &'a str,
    pub(super) holder: &'a str,
    pub(super) asking: Holder,
    pub(super) lease: Duration,
}

impl Database {
    /// Gives a lease. Two statements: no lock is held between them, so that a process that stops there stops nobody.
    pub(super) async fn renew_share(
        &self,
        request: &LeaseRequest<'_>,
        rng: &Rng,
    ) -> Result<Portion, OutboxError> {
        for tried in 0..TRIES {
            let rows = self.rows(SHARES, &[(&request.account, Type::TEXT)]).await?;
            let (version, ledger) = ledger(&rows)?;
            let portion = ledger.renew(request.holder, request.asking);
            let Holder { demand, rate, .. } = request.asking;
            let [used, demand, rate] = [portion.counted, demand, rate].map(whole);
            let [lease, forgotten] =
                [request.lease, FORGOTTEN].map(|time| whole(time.as_millis() as u64));
            let params: [Param<'_>; 8] = [
                (&request.account, Type::TEXT),
                (&version, Type::INT8),
                (&request.holder, Type::TEXT),
                (&used, Type::INT8),
                (&demand, Type::INT8),
                (&rate, Type::INT8),
                (&lease, Type::INT8),
                (&forgotten, Type::INT8),
            ];
            if !self.rows(RENEW, &params).await?.is_empty() {
                return Ok(portion);
            }
            // Another holder was quicker.
            let delay = rng.between(Duration::ZERO, STEP * (tried + 1));
            rt::sleep_until(rt::after(rt::now(), delay)).await;
        }
        let why = "too many holders ask for leases of an account at the same time";
        Err(OutboxError::new(OutboxErrorKind::Busy, why))
    }

    /// Gives a share back. A lease that is being given meanwhile, and whose answer nobody waits for any more, is given before
    /// the first statement, or never.
    pub(super) async fn leave_share(&self, account: &str, holder: &str) -> Result<(), OutboxError> {
        self.rows(PASS_OVER, &[(&account, Type::TEXT)]).await?;
        self.rows(LEAVE, &[(&account, Type::TEXT), (&holder, Type::TEXT)]).await.map(drop)
    }
}

fn ledger(rows: &[Row]) -> Result<(i64, Ledger), OutboxError> {
    let lost = || OutboxError::new(OutboxErrorKind::Store, "postgresql's answer has no row");
    let first = rows.first().ok_or_else(lost)?;
    let there = rows.iter().filter(|row| matches!(row.maybe_text("holder"), Ok(Some(_))));
    let entry = |row: &Row| {
        let rate = |column| row.number::<Millionths>(column);
        let holder = Holder { using: rate("used")?, demand: rate("demand")?, rate: rate("rate")? };
        Ok(LedgerEntry { name: row.text("holder")?, holder, ends: row.time("ends")? })
    };
    let entries = there.map(entry).collect::<Result<_, OutboxError>>()?;
    Ok((first.number("version")?, Ledger { now: first.time("now")?, entries }))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const SHARES: &str = include_str!("../sql/shares.sql");
const RENEW: &str = include_str!("../sql/renew_share.sql");
const PASS_OVER: &str =
    "UPDATE outrigger.fleet_account SET version = version + 1 WHERE name = $1 RETURNING 1";
const LEAVE: &str =
    "DELETE FROM outrigger.fleet_share WHERE account = $1 AND holder = $2 RETURNING 1";
/// A hundred holders that begin at the same moment have one each by then.
const TRIES: u32 = 30;
/// About the time that a lease takes.
const STEP: Duration = Duration::from_millis(5);
