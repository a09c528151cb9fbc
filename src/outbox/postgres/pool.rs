//! A fixed number of connections, made when they are needed, and made anew when they are lost.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, Config, NoTls};

use super::error::{Failure, not_connected};
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outcome::BoxError;
use crate::rt::{self, Lock, Rng};

type Connecting = Pin<Box<dyn Future<Output = Result<Open, BoxError>> + Send>>;

/// An open connection. Its task ends, and with it the connection, when this is dropped.
pub(crate) struct Open {
    client: Client,
    _task: rt::Task,
}

pub(crate) struct Pool {
    connect: Box<dyn Fn() -> Connecting + Send + Sync>,
    idle: Mutex<Vec<Open>>,
    permits: Semaphore,
    rng: Rng,
}

/// A connection for one piece of work. It is closed unless it is [kept](Self::keep): work that was dropped
/// half done leaves nothing behind.
pub(crate) struct Connection<'p> {
    pool: &'p Pool,
    open: Open,
    _permit: SemaphorePermit<'p>,
}

/// One piece of work, which is done again if the database undid it.
pub(crate) struct Run<'p> {
    pool: &'p Pool,
    /// Until when a connection is waited for.
    until: Instant,
    limit: Duration,
    tries: u32,
}

/// Runs a future of `Result<_, Failure>` on a connection of a pool, until it is done or has failed for good.
macro_rules! run {
    ($pool:expr, $limit:expr, |$client:ident| $work:expr) => {{
        let mut run = $pool.run($limit);
        loop {
            let mut connection = run.connection().await?;
            let done = {
                let $client = connection.client();
                run.limited($work).await
            };
            if let Some(done) = run.judge(connection, done).await {
                break done;
            }
        }
    }};
}
pub(crate) use run;

impl Pool {
    fn new(
        connections: usize,
        connect: impl Fn() -> Connecting + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (permits, rng) = (Semaphore::new(connections.max(1)), Rng::system());
        Arc::new(Self { connect: Box::new(connect), idle: Mutex::default(), permits, rng })
    }

    /// Connections that a function of the host's makes.
    pub(super) fn by<F, C, N, E>(connections: usize, connect: F) -> Arc<Self>
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(Client, N), E>> + Send + 'static,
        N: Future + Send + 'static,
        E: Into<BoxError>,
    {
        Self::new(connections, move || {
            let connecting = connect();
            Box::pin(async move {
                let (client, connection) = connecting.await.map_err(Into::into)?;
                Ok(Open::new(client, connection))
            })
        })
    }

    /// Connections without TLS, by a connection string.
    pub(super) fn no_tls(connections: usize, text: &str) -> Result<Arc<Self>, OutboxError> {
        let config: Config = text.parse().map_err(|error: tokio_postgres::Error| {
            let why = "the connection string of postgresql can't be read: its source says why";
            OutboxError::new(OutboxErrorKind::Store, why).with_source(error)
        })?;
        Ok(Self::by(connections, move || {
            let config = config.clone();
            async move { config.connect(NoTls).await }
        }))
    }

    /// As many connections as this from now on, unless others share it already.
    pub(super) fn resized(self: Arc<Self>, connections: usize) -> Arc<Self> {
        let permits = Semaphore::new(connections.max(1));
        Arc::try_unwrap(self).map_or_else(|shared| shared, |own| Arc::new(Self { permits, ..own }))
    }

    /// Work whose every attempt may take this long.
    pub(crate) fn run(&self, limit: Duration) -> Run<'_> {
        Run { pool: self, until: rt::after(rt::now(), WAIT), limit, tries: 1 }
    }

    fn idle(&self) -> Option<Open> {
        let mut idle = self.idle.locked();
        while let Some(open) = idle.pop() {
            if !open.client.is_closed() {
                return Some(open);
            }
        }
        None
    }

    /// Tries again and again until this time, if the database may be there later.
    pub(super) async fn open(&self, until: Instant) -> Result<Open, OutboxError> {
        let mut delay = FIRST_DELAY;
        loop {
            let error = match rt::until(Some(until), (self.connect)()).await {
                Some(Ok(open)) => return Ok(open),
                Some(Err(error)) => not_connected(error),
                None => return Err(too_long()),
            };
            let next = rt::after(rt::now(), self.rng.about(delay));
            if !error.is_transient() || next >= until {
                return Err(error);
            }
            rt::sleep_until(next).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }
}

impl<'p> Run<'p> {
    pub(crate) async fn connection(&self) -> Result<Connection<'p>, OutboxError> {
        let permit = rt::until(Some(self.until), self.pool.permits.acquire()).await;
        let Some(Ok(permit)) = permit else {
            let why = "all connections to postgresql are in use: allow more by `connections`";
            return Err(OutboxError::new(OutboxErrorKind::Busy, why));
        };
        let open = match self.pool.idle() {
            Some(open) => open,
            None => self.pool.open(self.until).await?,
        };
        Ok(Connection { pool: self.pool, open, _permit: permit })
    }

    pub(crate) async fn limited<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let due = rt::after(rt::now(), self.limit);
        rt::until(Some(due), work)
            .await
            .unwrap_or_else(|| Err(Failure { error: too_long(), is_lost: true, again: false }))
    }

    /// What the work came to; `None` if it is to be done again.
    pub(crate) async fn judge<T>(
        &mut self,
        connection: Connection<'p>,
        done: Result<T, Failure>,
    ) -> Option<Result<T, OutboxError>> {
        let failure = match done {
            Ok(done) => {
                connection.keep();
                return Some(Ok(done));
            }
            Err(failure) => failure,
        };
        match failure.is_lost {
            true => drop(connection),
            false => connection.keep(),
        }
        if !failure.again || self.tries == TRIES {
            return Some(Err(failure.error));
        }
        // Who was in each other's way must not come back at the same time.
        let delay = self.pool.rng.between(Duration::ZERO, FIRST_DELAY * self.tries);
        self.tries += 1;
        rt::sleep_until(rt::after(rt::now(), delay)).await;
        None
    }
}

impl Connection<'_> {
    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.open.client
    }

    fn keep(self) {
        self.pool.idle.locked().push(self.open);
    }
}

impl Open {
    #[cfg(feature = "oauth")]
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Drives a connection by a task of its own.
    fn new(client: Client, connection: impl Future + Send + 'static) -> Self {
        let task = rt::spawn_task(async move { drop(connection.await) });
        Self { client, _task: task }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Open")
    }
}

fn too_long() -> OutboxError {
    let why = "postgresql doesn't answer, or is too busy";
    OutboxError::new(OutboxErrorKind::Unavailable, why)
}

/// How long one waits for a connection: as long as a server needs to start again.
const WAIT: Duration = Duration::from_secs(5);
const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(1);
/// A conflict with another transaction is over when that has ended.
pub(super) const TRIES: u32 = 5;
