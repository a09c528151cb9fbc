use std::time::Duration;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::error::Failure;
use super::statements::in_schema;
use super::values::Param;
use super::worker::{begin, commit};
use crate::outbox::error::OutboxErrorKind;
use crate::outbox::row::SqlRow;
use crate::rt;

/// Brings tables to this version, by what makes them in order; the table `meta` says which version is there. Those of a
/// later version have only more columns, and are left alone.
///
/// Whoever uses a table waits behind a migration that waits for it. So this one doesn't wait long behind an open
/// transaction: it lets the others go first, and tries again.
pub(crate) async fn migrate(
    client: &mut Client,
    schema: &str,
    meta: &str,
    migrations: &[&str],
) -> Result<(), Failure> {
    for _ in 1..TRIES {
        match migrate_once(client, schema, meta, migrations).await {
            Err(Failure { error, is_lost: false, .. }) if error.kind() == OutboxErrorKind::Busy => {
                rt::sleep_until(rt::after(rt::now(), PAUSE)).await;
            }
            done => return done,
        }
    }
    migrate_once(client, schema, meta, migrations).await
}

async fn migrate_once(
    client: &mut Client,
    schema: &str,
    meta: &str,
    migrations: &[&str],
) -> Result<(), Failure> {
    let tx = begin(client).await?;
    let version: usize = match has_table(&tx, schema, meta).await? {
        false => 0,
        true => {
            let version = in_schema(&VERSION.replace("{meta}", meta), schema);
            tx.query_typed_one(&version, &[]).await?.number("version")?
        }
    };
    tx.batch_execute(SHORT).await?;
    for migration in migrations.iter().skip(version) {
        tx.batch_execute(&in_schema(migration, schema)).await?;
    }
    commit(tx).await
}

/// Makes one table that stands by itself, unless it is there.
#[cfg(feature = "oauth")]
pub(super) async fn make_table(
    client: &mut Client,
    schema: &str,
    table: &str,
    make: &str,
) -> Result<(), Failure> {
    let tx = begin(client).await?;
    if !has_table(&tx, schema, table).await? {
        tx.batch_execute(make).await?;
    }
    commit(tx).await
}

/// Keeps others from changing the schema, makes it, and says whether it has this table.
async fn has_table(tx: &Transaction<'_>, schema: &str, table: &str) -> Result<bool, Failure> {
    // Several processes may start at once.
    tx.batch_execute(LOCK).await?;
    let params: [Param<'_>; 2] =
        [(&schema, Type::TEXT), (&format!("{schema}.{table}"), Type::TEXT)];
    let found = tx.query_typed_one(FOUND, &params).await?;
    if found.number::<i64>("has_schema")? == 0 {
        tx.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    Ok(found.number::<i64>("has_table")? == 1)
}

/// How long a migration waits for a table: as long as it holds up the others.
const SHORT: &str = "SET LOCAL lock_timeout = '2s'";
/// A minute in all.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('outrigger.migrate', 0))";
const FOUND: &str = "SELECT to_regnamespace($1) IS NOT NULL AS has_schema, to_regclass($2) IS NOT NULL AS has_table";
const VERSION: &str = "SELECT coalesce(max(value), 0)::bigint AS version FROM outrigger.{meta} WHERE name = 'version'";
