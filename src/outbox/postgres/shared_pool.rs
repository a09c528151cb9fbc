use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio_postgres::Client;

use super::pool::Pool;
use crate::outbox::error::OutboxError;
use crate::outcome::BoxError;

/// Connections to one database, which several stores share, and a fleet. At most 4 at a time by default. Each is made when
/// it is first needed, and made anew when it is lost.
///
/// ```no_run
/// use outrigger::outbox::Outbox;
/// use outrigger::outbox::postgres::{PostgresPool, PostgresStore};
///
/// # async fn start(mailer: &outrigger::Integration) -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PostgresPool::no_tls("postgres://jobs@localhost/shop")?.connections(6);
/// let store = PostgresStore::over(&pool);
/// store.migrate().await?;
/// let outbox = Outbox::postgres(store).lane(mailer).build()?;
/// # let _ = outbox;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a pool does nothing until a store uses it"]
pub struct PostgresPool(pub(crate) Arc<Pool>);

impl PostgresPool {
    /// Connections without TLS, for a database on this machine or in a network of yours:
    /// `postgres://user@host/database`, or `host=/run/postgresql user=jobs`.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Store`](crate::outbox::OutboxErrorKind::Store) if the text is no connection string of PostgreSQL.
    pub fn no_tls(connection: &str) -> Result<Self, OutboxError> {
        Pool::no_tls(CONNECTIONS, connection).map(Self)
    }

    /// Connections that this function makes, with TLS and credentials of your choice, as
    /// [`PostgresStore::connect_by`](super::PostgresStore::connect_by).
    pub fn connect_by<F, Connecting, Connection, E>(connect: F) -> Self
    where
        F: Fn() -> Connecting + Send + Sync + 'static,
        Connecting: Future<Output = Result<(Client, Connection), E>> + Send + 'static,
        Connection: Future + Send + 'static,
        E: Into<BoxError>,
    {
        Self(Pool::by(CONNECTIONS, connect))
    }

    /// The most connections at a time; 4 by default, at least 1. A worker of an outbox needs two, a fleet one. Set
    /// it before the pool is cloned or used: afterwards it stays as it is.
    pub fn connections(self, most: usize) -> Self {
        Self(self.0.resized(most))
    }
}

impl fmt::Debug for PostgresPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPool").finish_non_exhaustive()
    }
}

/// Two for a worker's claims and settlements, one for its reaper, and one for enqueueing.
const CONNECTIONS: usize = 4;
