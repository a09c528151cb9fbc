//! What instances say, in the database.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::quorum::{BreakerName, Said};
use crate::fleet::database::Database;
use crate::outbox::OutboxError;
use crate::outbox::postgres::{Param, SqlRow};

impl Database {
    /// Tells which breakers this instance found a reason to open; what it told before and isn't there is taken back.
    pub(super) async fn tell_outages<'a>(
        &self,
        instance: &str,
        open: impl Iterator<Item = &'a BreakerName>,
        lasts: Duration,
    ) -> Result<(), OutboxError> {
        let (integrations, keys): (Vec<&str>, Vec<&str>) =
            open.map(|name| (name.integration.as_str(), name.key.as_str())).unzip();
        let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
        let params: [Param<'_>; 4] = [
            (&instance, Type::TEXT),
            (&integrations, Type::TEXT_ARRAY),
            (&keys, Type::TEXT_ARRAY),
            (&lasts, Type::INT8),
        ];
        self.rows(TELL, &params).await.map(drop)
    }

    /// What all instances say, this one included.
    pub(super) async fn outages(&self) -> Result<Vec<Said>, OutboxError> {
        self.rows(OUTAGES, &[]).await?.iter().map(said).collect()
    }
}

fn said(row: &Row) -> Result<Said, OutboxError> {
    let of = BreakerName { integration: row.text("integration")?, key: row.text("key")? };
    Ok(Said { of, open: row.number("open")?, live: row.number("live")? })
}

const TELL: &str = include_str!("../sql/tell_outages.sql");
const OUTAGES: &str = include_str!("../sql/outages.sql");
