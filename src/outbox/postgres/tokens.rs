//! Refresh tokens in PostgreSQL, for as many processes as you like.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::error::Failure;
use super::migrate;
use super::pool::{Open, Pool, run};
use super::shared_pool::PostgresPool;
use super::statements::{in_schema, quoted};
use super::values::Param;
use crate::outbox::error::OutboxError;
use crate::outbox::row::SqlRow;
use crate::outcome::BoxError;
use crate::rt::{self, Rng};
use crate::token::TokenError;
use crate::token::oauth::{StoredToken, TokenStore};

/// A refresh token in PostgreSQL, shared by as many processes as you like (features `oauth` and
/// `postgres`).
///
/// One process refreshes at a time: it holds an advisory lock in an open transaction
/// (`pg_try_advisory_xact_lock`), on a connection of its own, which ends with the process. The others
/// wait, and use the refresh token that it stored. Of several [logins](Self::login), a process refreshes 16 at
/// a time, those included that wait for another process. PgBouncer in transaction mode works.
///
/// The table `refresh_token` stands in a schema, by default `outrigger`, beside the outbox's, which it
/// doesn't need. The tokens are readable in it: whoever may read it can act for those who logged in.
///
/// ```no_run
/// use outrigger::Integration;
/// use outrigger::outbox::postgres::PostgresTokenStore;
/// use outrigger::token::{TokenLayer, oauth::RefreshToken};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresTokenStore::no_tls("postgres://shop@localhost/shop")?.login("crm");
/// store.migrate().await?;
/// store.replace("what the login gave").await?; // when somebody has logged in
///
/// let issuer = Integration::user_flow("login").build()?;
/// let user = RefreshToken::new(issuer, "https://login.example/token", "shop", store);
/// let crm = Integration::user_flow("crm").token(TokenLayer::new(user)).build()?;
/// # let _ = crm;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a store does nothing until a login uses it"]
pub struct PostgresTokenStore {
    database: Arc<Database>,
    login: Arc<str>,
}

/// Held by the process that refreshes. Its connection is closed when it is dropped, and with it the
/// lock ends.
#[derive(Debug)]
pub struct PostgresTokenLease {
    _locked: Open,
    _permit: OwnedSemaphorePermit,
}

struct Database {
    pool: Arc<Pool>,
    /// The schema's name, quoted.
    schema: String,
    leases: Arc<Semaphore>,
    rng: Rng,
}

impl PostgresTokenStore {
    /// A store without TLS, for a database on this machine or in a network of yours, as
    /// [`PostgresStore::no_tls`](super::PostgresStore::no_tls). It connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Store`](crate::outbox::OutboxErrorKind::Store) if the text is no connection
    /// string of PostgreSQL.
    pub fn no_tls(connection: &str) -> Result<Self, OutboxError> {
        Ok(Self::over(&PostgresPool::no_tls(connection)?.connections(CONNECTIONS)))
    }

    /// A store whose connections this function makes, with TLS and credentials of your choice, as
    /// [`PostgresStore::connect_by`](super::PostgresStore::connect_by).
    pub fn connect_by<F, Connecting, Connection, E>(connect: F) -> Self
    where
        F: Fn() -> Connecting + Send + Sync + 'static,
        Connecting: Future<Output = Result<(Client, Connection), E>> + Send + 'static,
        Connection: Future + Send + 'static,
        E: Into<BoxError>,
    {
        Self::over(&PostgresPool::connect_by(connect).connections(CONNECTIONS))
    }

    /// A store over connections that others use too. The connections of its locks aren't among them: there is one
    /// more for each login that is being refreshed.
    pub fn over(pool: &PostgresPool) -> Self {
        let leases = Arc::new(Semaphore::new(LEASES));
        let pool = Arc::clone(&pool.0);
        let database = Database { pool, schema: quoted("outrigger"), leases, rng: Rng::system() };
        Self { database: Arc::new(database), login: "".into() }
    }

    /// Its table stands in this schema; `outrigger` by default. To be set before
    /// [`login`](Self::login).
    ///
    /// # Panics
    ///
    /// If the name has other characters than letters, digits and `_`, or more than 63; or if the store
    /// was cloned before.
    pub fn schema(mut self, name: &str) -> Self {
        let database = Arc::get_mut(&mut self.database);
        database.expect("the schema is set before the store is cloned").schema = quoted(name);
        self
    }

    /// The store of another login, over the same connections. Each has a refresh token and a lease of
    /// its own, such as those of many tenants.
    pub fn login(&self, name: impl Into<Arc<str>>) -> Self {
        Self { database: Arc::clone(&self.database), login: name.into() }
    }

    /// Makes the table, unless it is there. Several processes may do it at once.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Store`](crate::outbox::OutboxErrorKind::Store) if the database's user may not
    /// make tables: run [`migration`](Self::migration) as one who may.
    pub async fn migrate(&self) -> Result<(), OutboxError> {
        let Database { pool, schema, .. } = &*self.database;
        let table = in_schema(TABLE, schema);
        run!(pool, LIMIT, |client| migrate::make_table(client, schema, "refresh_token", &table))
    }

    /// What [`migrate`](Self::migrate) runs in an existing schema of this name, for those who keep their
    /// schema themselves. Processes need `USAGE` on the schema and `SELECT`, `INSERT` and `UPDATE` on
    /// the table.
    ///
    /// # Panics
    ///
    /// As [`schema`](Self::schema).
    #[must_use]
    pub fn migration(schema: &str) -> String {
        in_schema(TABLE, &quoted(schema))
    }

    /// Stores the first refresh token, or another one: somebody has logged in again.
    ///
    /// # Errors
    ///
    /// If the database can't be reached, or the table is missing.
    pub async fn replace(&self, refresh_token: impl Into<String>) -> Result<(), OutboxError> {
        let next = refresh_token.into();
        let params: [Param<'_>; 2] = [(&&*self.login, Type::TEXT), (&next, Type::TEXT)];
        self.change(REPLACE, &params).await.map(drop)
    }

    /// Runs a statement that changes at most one row, and says whether it did. It may be done twice.
    async fn change(&self, statement: &str, params: &[Param<'_>]) -> Result<bool, OutboxError> {
        let Database { pool, schema, .. } = &*self.database;
        let statement = in_schema(statement, schema);
        let changed = run!(pool, LIMIT, |client| async {
            Ok(client.query_typed(&statement, params).await?.len())
        })?;
        Ok(changed == 1)
    }

    async fn stored(&self) -> Result<Option<StoredToken>, OutboxError> {
        let Database { pool, schema, .. } = &*self.database;
        let statement = in_schema(LOAD, schema);
        run!(pool, LIMIT, |client| async {
            let params: [Param<'_>; 1] = [(&&*self.login, Type::TEXT)];
            let row = client.query_typed(&statement, &params).await?.into_iter().next();
            let token = |row: &tokio_postgres::Row| {
                Ok::<_, OutboxError>(StoredToken::new(row.text("token")?, row.number("version")?))
            };
            Ok(row.as_ref().map(token).transpose()?)
        })
    }

    /// Waits for the lock on a connection of its own. Nobody waits in the database, whose connections
    /// are few behind a PgBouncer.
    async fn lock(&self) -> Result<Open, OutboxError> {
        let Database { pool, schema, rng, .. } = &*self.database;
        let name = format!("outrigger.refresh_token.{schema}.{}", self.login);
        let open = pool.open(rt::after(rt::now(), LIMIT)).await?;
        while !try_lock(open.client(), &name).await.map_err(|failure| failure.error)? {
            rt::sleep_until(rt::after(rt::now(), rng.about(TRY_AGAIN))).await;
        }
        Ok(open)
    }
}

impl TokenStore for PostgresTokenStore {
    type Lease = PostgresTokenLease;

    async fn lease(&self) -> Result<PostgresTokenLease, TokenError> {
        let permit = Arc::clone(&self.database.leases).acquire_owned().await;
        let permit = permit.map_err(|_| TokenError::transient("the store is closed"))?;
        let locked = self.lock().await.map_err(failed)?;
        Ok(PostgresTokenLease { _locked: locked, _permit: permit })
    }

    async fn load(&self) -> Result<StoredToken, TokenError> {
        let stored = self.stored().await.map_err(failed)?;
        let none = || format!("no refresh token is stored for the login `{}`", self.login);
        stored.ok_or_else(|| TokenError::needs_login(none()))
    }

    async fn compare_and_swap(
        &self,
        present: &StoredToken,
        next: String,
    ) -> Result<bool, TokenError> {
        let version = i64::try_from(present.version()).unwrap_or(i64::MAX);
        let params: [Param<'_>; 4] = [
            (&&*self.login, Type::TEXT),
            (&version, Type::INT8),
            (&present.refresh_token(), Type::TEXT),
            (&next, Type::TEXT),
        ];
        self.change(SWAP, &params).await.map_err(failed)
    }
}

/// Takes the lock in a transaction that stays open, if nobody has it.
async fn try_lock(client: &Client, name: &str) -> Result<bool, Failure> {
    client.batch_execute(BEGIN).await?;
    let row = client.query_typed_one(LOCK, &[(&name, Type::TEXT)]).await?;
    let is_locked = row.number::<i64>("is_locked")? == 1;
    if !is_locked {
        client.batch_execute("ROLLBACK").await?;
    }
    Ok(is_locked)
}

fn failed(error: OutboxError) -> TokenError {
    match error.is_transient() {
        true => TokenError::transient(error.to_string()),
        false => TokenError::settled(error.to_string()),
    }
}

impl fmt::Debug for PostgresTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTokenStore")
            .field("schema", &self.database.schema)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

const TABLE: &str = "CREATE TABLE outrigger.refresh_token (
    login text COLLATE \"C\" PRIMARY KEY,
    token text NOT NULL,
    version bigint NOT NULL,
    stored timestamptz NOT NULL DEFAULT now()
)";
const LOAD: &str = "SELECT token, version FROM outrigger.refresh_token WHERE login = $1";
const REPLACE: &str = "INSERT INTO outrigger.refresh_token AS known (login, token, version)
    VALUES ($1, $2, 1)
    ON CONFLICT (login) DO UPDATE SET token = $2, version = known.version + 1, stored = now()
    RETURNING 1";
/// Done a second time, because nobody knows whether the first was, it changes nothing and says so too.
const SWAP: &str = "UPDATE outrigger.refresh_token
    SET token = $4, version = $2 + 1, stored = now()
    WHERE login = $1 AND (version = $2 AND token = $3 OR version = $2 + 1 AND token = $4)
    RETURNING 1";
/// A refresh takes two requests of a minute at most. A process that the network has lost holds the lock
/// no longer than this, whatever the server's own limit is.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '180s'";
const LOCK: &str = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_locked";
/// For reading and storing, which take a moment.
const CONNECTIONS: usize = 2;
/// How many logins are refreshed at a time by one process.
const LEASES: usize = 16;
/// A server that needs longer for a row doesn't work.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether the lock is free: a refresh takes about as long.
const TRY_AGAIN: Duration = Duration::from_millis(100);
