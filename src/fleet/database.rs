//! The fleet's tables.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::names::Names;
use super::words::{Says, Word, Words};
use crate::control::{FleetInstance, FleetTrouble, FleetView, InstanceState};
use crate::outbox::OutboxError;
use crate::outbox::postgres::{Failure, Param, Pool, SqlRow, in_schema, migrate, run};

pub(super) struct Database {
    pub(super) pool: Arc<Pool>,
    /// The schema's name, quoted.
    pub(super) schema: String,
}

/// What a look at the database came to.
pub(super) struct Looked {
    pub(super) revision: u64,
    /// Is another one when something else is said: a database that was restored may come to the same number by other changes.
    pub(super) stamp: String,
    /// Whether the time of a position is over that is set back by itself.
    pub(super) has_over: bool,
}

/// A control's position, to be stored.
pub(super) struct NewPosition<'a> {
    pub(super) integration: &'a str,
    pub(super) control: &'a str,
    pub(super) to: &'a str,
    pub(super) who: &'a str,
    pub(super) why: &'a str,
    pub(super) wanted_for: Option<Duration>,
    /// Where it goes back to by itself, if nothing else was there before.
    pub(super) back: Option<&'a str>,
}

/// What an instance tells of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sign {
    pub(super) revision: u64,
    pub(super) integrations: Vec<String>,
    pub(super) controls: Names,
    pub(super) troubles: Vec<FleetTrouble>,
}

impl Database {
    /// Makes the tables, or brings them to this version.
    pub(super) async fn migrate(&self) -> Result<(), OutboxError> {
        run!(self.pool, LONG, |client| migrate(client, &self.schema, "fleet_meta", MIGRATIONS))
    }

    pub(super) async fn look(&self) -> Result<Looked, OutboxError> {
        let rows = self.rows(POLL, &[]).await?;
        let row = only(&rows)?;
        Ok(Looked {
            revision: row.number("revision")?,
            stamp: row.text("stamp")?,
            has_over: row.number::<i64>("has_over")? == 1,
        })
    }

    pub(super) async fn words(&self) -> Result<Words, OutboxError> {
        let rows = self.rows(WORDS, &[]).await?;
        let first = only(&rows)?;
        let (revision, read) = (first.number("current")?, first.time("now")?);
        let said = rows.iter().filter(|row| matches!(row.maybe_text("integration"), Ok(Some(_))));
        Ok(Words { revision, read, all: said.map(word).collect::<Result<_, _>>()? })
    }

    /// Does nothing if something was changed since this revision: whoever looks next does it.
    pub(super) async fn set_back(&self, revision: u64) -> Result<(), OutboxError> {
        let revision = i64::try_from(revision).unwrap_or(i64::MAX);
        self.rows(SET_BACK, &[(&revision, Type::INT8)]).await.map(drop)
    }

    /// Returns the change's number.
    pub(super) async fn set(&self, new: &NewPosition<'_>) -> Result<u64, OutboxError> {
        let wanted_for = new.wanted_for.map(|time| i64::try_from(time.as_millis()));
        let wanted_for = wanted_for.map(|millis| millis.unwrap_or(LONGEST).min(LONGEST));
        let params: [Param<'_>; 7] = [
            (&new.integration, Type::TEXT),
            (&new.control, Type::TEXT),
            (&new.to, Type::TEXT),
            (&new.who, Type::TEXT),
            (&new.why, Type::TEXT),
            (&wanted_for, Type::INT8),
            (&new.back, Type::TEXT),
        ];
        only(&self.rows(SET, &params).await?)?.number("revision")
    }

    /// Returns the change's number; `None` if the settings aren't those with the number `seen` any more.
    pub(super) async fn configure(
        &self,
        integration: &str,
        settings: &str,
        who: &str,
        why: &str,
        seen: Option<u64>,
    ) -> Result<Option<u64>, OutboxError> {
        let seen = seen.map(|seen| i64::try_from(seen).unwrap_or(i64::MAX));
        let params: [Param<'_>; 5] = [
            (&integration, Type::TEXT),
            (&settings, Type::TEXT),
            (&who, Type::TEXT),
            (&why, Type::TEXT),
            (&seen, Type::INT8),
        ];
        let rows = self.rows(CONFIGURE, &params).await?;
        let row = match seen {
            Some(_) => rows.first(),
            // Nothing keeps it from being stored but tables that aren't whole.
            None => Some(only(&rows)?),
        };
        row.map(|row| row.number("revision")).transpose()
    }

    /// Returns the change's number.
    pub(super) async fn forget(&self, integration: &str, of: &str) -> Result<u64, OutboxError> {
        let params: [Param<'_>; 2] = [(&integration, Type::TEXT), (&of, Type::TEXT)];
        only(&self.rows(FORGET, &params).await?)?.number("revision")
    }

    /// Whether an instance on the list has this integration, and what those have that tell: earlier versions don't.
    pub(super) async fn names(&self, integration: &str) -> Result<(bool, Names), OutboxError> {
        let (mut has_it, mut names) = (false, Names::default());
        for row in self.rows(NAMES, &[(&integration, Type::TEXT)]).await? {
            has_it |= row.number::<i64>("has_it")? == 1;
            let told = row.maybe_text("controls")?.and_then(|text| Names::read(&text));
            names.extend(told.unwrap_or_default());
        }
        Ok((has_it, names))
    }

    pub(super) async fn sign(
        &self,
        name: &str,
        host: &str,
        sign: &Sign,
    ) -> Result<(), OutboxError> {
        let revision = i64::try_from(sign.revision).unwrap_or(i64::MAX);
        let troubles: Vec<_> =
            sign.troubles.iter().map(|it| (&it.integration, &it.of, &it.why)).collect();
        // Lists of texts can always be written.
        let troubles = serde_json::to_string(&troubles).unwrap_or_default();
        let params: [Param<'_>; 7] = [
            (&name, Type::TEXT),
            (&host, Type::TEXT),
            (&VERSION, Type::TEXT),
            (&revision, Type::INT8),
            (&sign.integrations, Type::TEXT_ARRAY),
            (&troubles, Type::TEXT),
            (&sign.controls.text(), Type::TEXT),
        ];
        self.rows(SIGN, &params).await.map(drop)
    }

    pub(super) async fn leave(&self, name: &str) -> Result<(), OutboxError> {
        self.rows(LEAVE, &[(&name, Type::TEXT)]).await.map(drop)
    }

    pub(super) async fn view(&self) -> Result<FleetView, OutboxError> {
        let rows = self.rows(INSTANCES, &[]).await?;
        let revision = only(&rows)?.number("current")?;
        let there = rows.iter().filter(|row| matches!(row.maybe_text("name"), Ok(Some(_))));
        let instances = there.map(|row| instance(row, revision)).collect::<Result<_, _>>()?;
        Ok(FleetView { revision, instances })
    }

    /// Runs a statement, which is a transaction of its own. It may be done twice.
    pub(super) async fn rows(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, OutboxError> {
        let sql = in_schema(sql, &self.schema);
        run!(self.pool, LIMIT, |client| async {
            client.query_typed(&sql, params).await.map_err(Failure::from)
        })
    }
}

fn only(rows: &[Row]) -> Result<&Row, OutboxError> {
    rows.first().ok_or_else(|| {
        let why = "the fleet's tables have lost their first row: run `migrate` on new ones";
        OutboxError::new(crate::outbox::OutboxErrorKind::Unsupported, why)
    })
}

fn word(row: &Row) -> Result<Arc<Word>, OutboxError> {
    let said = row.text("word")?;
    let says = match row.maybe_text("control")? {
        Some(name) => Says::Control { name, position: said },
        None => serde_json::from_str(&said).map_or(Says::Unreadable, Says::Settings),
    };
    Ok(Arc::new(Word {
        integration: row.text("integration")?,
        says,
        who: row.text("who")?,
        why: row.text("why")?,
        since: row.time("since")?,
        until: row.maybe_time("until")?,
        back: row.maybe_text("back")?,
        revision: row.number("revision")?,
    }))
}

fn instance(row: &Row, current: u64) -> Result<FleetInstance, OutboxError> {
    let (now, revision) = (row.time("now")?, row.number("revision")?);
    let seen_ago = now.since(row.time("seen")?);
    // A later version may tell what this one can't read.
    let troubles: Vec<(String, String, String)> =
        serde_json::from_str(&row.text("troubles")?).unwrap_or_default();
    let trouble = |(integration, of, why)| FleetTrouble { integration, of, why };
    let ago = |column| row.maybe_time(column).map(|since| since.map(|since| now.since(since)));
    let (behind, troubled) = (ago("behind_since")?, ago("troubled_since")?);
    let (state, for_time) = match () {
        () if seen_ago > MISSED => (InstanceState::NotSeen, Some(seen_ago)),
        () if revision != current => (InstanceState::Behind, behind),
        () if troubled.is_some() => (InstanceState::Disobeys, troubled),
        () => (InstanceState::Obeys, None),
    };
    Ok(FleetInstance {
        name: row.text("name")?,
        host: row.text("host")?,
        version: row.text("version")?,
        state,
        for_time,
        seen_ago,
        revision,
        troubles: troubles.into_iter().map(trouble).collect(),
    })
}

pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("sql/migration_1.sql"),
    include_str!("sql/migration_2.sql"),
    include_str!("sql/migration_3.sql"),
    include_str!("sql/migration_4.sql"),
];
const POLL: &str = include_str!("sql/poll.sql");
const WORDS: &str = include_str!("sql/words.sql");
const SET: &str = include_str!("sql/set.sql");
const SET_BACK: &str = include_str!("sql/set_back.sql");
const CONFIGURE: &str = include_str!("sql/configure.sql");
const FORGET: &str = include_str!("sql/forget.sql");
const SIGN: &str = include_str!("sql/sign.sql");
const INSTANCES: &str = include_str!("sql/instances.sql");
const NAMES: &str =
    "SELECT $1 = ANY (integrations) AS has_it, controls FROM outrigger.fleet_instance";
const LEAVE: &str = "DELETE FROM outrigger.fleet_instance WHERE name = $1 RETURNING 1";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A server that needs longer for some rows doesn't work.
const LIMIT: Duration = Duration::from_secs(5);
/// Making tables may wait for somebody else who does.
const LONG: Duration = Duration::from_secs(60);
/// Without a sign for this long, an instance counts as not seen: three of its signs are missing.
const MISSED: Duration = Duration::from_secs(15);
/// A hundred years, in milliseconds.
const LONGEST: i64 = 100 * 365 * 86_400_000;
