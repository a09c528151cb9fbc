use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use bytes::Bytes;
use tokio_postgres::Client;

use super::group::{Group, is_free};
use super::hook::{self, PostgresHook};
use super::people::{self, Actor};
use super::pool::{Pool, run};
use super::shared_pool::PostgresPool;
use super::statements::{MIGRATIONS, Statements, migrations};
use super::unheard::UnheardClaims;
use super::{browse, migrate, worker};
use crate::outbox::dead_letter::{Acted, Action, Filter, Page, Selection};
use crate::outbox::error::OutboxError;
use crate::outbox::hooks::Hooks;
use crate::outbox::id::MessageId;
use crate::outbox::stats::LaneStats;
use crate::outbox::store::{
    ClaimRequest, Claimed, Enqueued, LeaseRef, Pause, Reaped, Settled, Settlement, Store,
    StoreFuture,
};
use crate::outbox::stored::{History, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::outcome::BoxError;

/// Messages in PostgreSQL, for as many processes as you like. The [module](crate::outbox::postgres) says
/// what it needs.
pub struct PostgresStore {
    pool: Arc<Pool>,
    sql: Statements,
    pub(super) hooks: Hooks<PostgresHook>,
    pub(super) group: Group,
    unheard: UnheardClaims,
}

impl PostgresStore {
    /// A store without TLS, for a database on this machine or in a network of yours:
    /// `postgres://user@host/database`, or `host=/run/postgresql user=jobs`. It connects when it is first
    /// used.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Store`](crate::outbox::OutboxErrorKind::Store) if the text is no connection string of PostgreSQL.
    pub fn no_tls(connection: &str) -> Result<Self, OutboxError> {
        Ok(Self::over(&PostgresPool::no_tls(connection)?))
    }

    /// A store whose connections this function makes, with TLS and credentials of your choice. It is called
    /// for each new connection, and returns what
    /// [`Config::connect`](tokio_postgres::Config::connect) does. If its error is a
    /// [`tokio_postgres::Error`], its code tells whether it is worth trying again.
    pub fn connect_by<F, Connecting, Connection, E>(connect: F) -> Self
    where
        F: Fn() -> Connecting + Send + Sync + 'static,
        Connecting: Future<Output = Result<(Client, Connection), E>> + Send + 'static,
        Connection: Future + Send + 'static,
        E: Into<BoxError>,
    {
        Self::over(&PostgresPool::connect_by(connect))
    }

    /// A store over connections that others use too.
    #[must_use]
    pub fn over(pool: &PostgresPool) -> Self {
        Self {
            pool: Arc::clone(&pool.0),
            sql: Statements::new("outrigger"),
            hooks: Hooks::default(),
            group: Group::new(),
            unheard: UnheardClaims::default(),
        }
    }

    /// Its tables stand in this schema; `outrigger` by default.
    ///
    /// # Panics
    ///
    /// If the name has other characters than letters, digits and `_`, or more than 63.
    #[must_use]
    pub fn schema(mut self, name: &str) -> Self {
        self.sql = Statements::new(name);
        self
    }

    /// The most connections at a time; 4 by default, at least 1. A worker needs two: claims and settlements
    /// don't wait for each other. The others are for those who enqueue. It changes nothing over a
    /// [shared pool](Self::over), which has a number of its own.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.pool = self.pool.resized(most);
        self
    }

    /// Makes the tables, or brings them to this version. Several processes may do it at once.
    ///
    /// While a version makes its indexes, nobody writes to the messages: seconds for a million rows in memory, minutes from a
    /// disk. It waits at most 2 s for open transactions, and tries again for a minute: others don't wait long behind it.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Busy`](crate::outbox::OutboxErrorKind::Busy) if a transaction stayed open all the time: try again
    /// when it has ended. [`OutboxErrorKind::Store`](crate::outbox::OutboxErrorKind::Store) if the database's user may not make tables: run
    /// [`migrations`](Self::migrations) as one who may.
    pub async fn migrate(&self) -> Result<(), OutboxError> {
        run!(self.pool, LONG, |client| migrate::migrate(
            client,
            &self.sql.schema,
            "meta",
            MIGRATIONS
        ))
    }

    /// What [`migrate`](Self::migrate) runs in an existing schema of this name, in order: for those who keep
    /// their schema themselves. Version 1 is the first.
    ///
    /// # Panics
    ///
    /// As [`schema`](Self::schema).
    #[must_use]
    pub fn migrations(schema: &str) -> Vec<String> {
        migrations(schema)
    }

    /// Stores them in one statement.
    pub(super) async fn store_all(
        &self,
        messages: &[NewMessage],
    ) -> Result<Vec<Enqueued>, OutboxError> {
        run!(self.pool, LIMIT, |client| worker::enqueue(client, &self.sql, messages))
    }
}

impl Store for PostgresStore {
    fn now(&self) -> StoreFuture<'_, Timestamp> {
        Box::pin(async move { run!(self.pool, LIMIT, |client| browse::now(client, &self.sql)) })
    }

    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>> {
        Box::pin(async move {
            match messages.iter().all(is_free) {
                true => self.enqueue_together(messages).await,
                false => self.store_all(&messages).await,
            }
        })
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| worker::claim(
                client,
                &self.sql,
                &request,
                &self.unheard
            ))
        })
    }

    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| worker::extend(client, &self.sql, &leases, lease))
        })
    }

    fn keep_request(&self, first: LeaseRef, request: Bytes) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| worker::keep_request(
                client, &self.sql, &first, &request
            ))
        })
    }

    fn members(&self, batch: MessageId) -> StoreFuture<'_, Vec<StoredMessage>> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| worker::members(client, &self.sql, batch))
        })
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Option<Settled>>> {
        Box::pin(async move {
            let conflicts = AtomicU32::new(0);
            let each = u32::try_from(settlements.len()).unwrap_or(u32::MAX);
            let limit = match self.hooks.is_empty() {
                true => LIMIT,
                false => LIMIT.saturating_add(hook::LONGEST.saturating_mul(each)),
            };
            run!(self.pool, limit, |client| worker::settle(
                client,
                &self.sql,
                &settlements,
                &self.hooks,
                &conflicts
            ))
        })
    }

    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped> {
        Box::pin(
            async move { run!(self.pool, LIMIT, |client| worker::reap(client, &self.sql, most)) },
        )
    }

    fn recover(&self) -> StoreFuture<'_, Reaped> {
        // Other processes may work, also under the same name.
        Box::pin(std::future::ready(Ok(Reaped::default())))
    }

    fn pause(&self, pause: Pause) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| people::pause(client, &self.sql, &pause))
        })
    }

    fn resume(&self, lane: String, who: String, why: String) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let by = Actor { who, why };
            run!(self.pool, LIMIT, |client| people::resume(client, &self.sql, &lane, &by))
        })
    }

    fn stats(&self, lane: String) -> StoreFuture<'_, LaneStats> {
        Box::pin(
            async move { run!(self.pool, LIMIT, |client| browse::stats(client, &self.sql, &lane)) },
        )
    }

    fn browse(&self, filter: Filter, page: Page) -> StoreFuture<'_, Vec<StoredMessage>> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| browse::browse(client, &self.sql, &filter, page))
        })
    }

    fn count(&self, filter: Filter) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            run!(self.pool, LIMIT, |client| browse::count(client, &self.sql, &filter))
        })
    }

    fn find(&self, id: MessageId) -> StoreFuture<'_, Option<StoredMessage>> {
        Box::pin(
            async move { run!(self.pool, LIMIT, |client| browse::find(client, &self.sql, id)) },
        )
    }

    fn get(&self, id: MessageId) -> StoreFuture<'_, Option<History>> {
        Box::pin(async move { run!(self.pool, LIMIT, |client| browse::get(client, &self.sql, id)) })
    }

    fn act(
        &self,
        on: Selection,
        action: Action,
        who: String,
        why: String,
    ) -> StoreFuture<'_, Acted> {
        Box::pin(async move {
            let by = Actor { who, why };
            run!(self.pool, LONG, |client| people::act(client, &self.sql, &on, action, &by))
        })
    }

    fn edit(
        &self,
        id: MessageId,
        edited: NewMessage,
        who: String,
        why: String,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let by = Actor { who, why };
            run!(self.pool, LIMIT, |client| people::edit(client, &self.sql, id, &edited, &by))
        })
    }

    fn prune(&self, before: Timestamp, most: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            run!(self.pool, LONG, |client| people::prune(client, &self.sql, before, most))
        })
    }

    fn has_hook(&self, lane: &str) -> bool {
        self.hooks.of(lane).is_some()
    }

    fn hooked(&self) -> Vec<String> {
        self.hooks.hooked()
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.sql.schema)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}

/// A server that needs longer for a transaction of the store doesn't work.
const LIMIT: Duration = Duration::from_secs(30);
/// For what a person asks for, of any number of messages, and for new indexes.
const LONG: Duration = Duration::from_secs(600);
