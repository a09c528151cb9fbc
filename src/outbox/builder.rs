use std::collections::{BTreeSet, HashMap};
#[cfg(feature = "sqlite")]
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc, watch};
use uuid::Uuid;

use super::error::{OutboxError, OutboxErrorKind};
use super::handle::Outbox;
#[cfg(feature = "sqlite")]
use super::hooks::Hooks;
use super::inner::Inner;
use super::lane::Lane;
use super::memory::MemoryStore;
use super::missing_keys::MissingKeys;
#[cfg(feature = "sqlite")]
use super::open::SqliteFile;
use super::open::{OpenStore, OwnStore};
#[cfg(feature = "postgres")]
use super::postgres::{PostgresHookFuture, PostgresStore};
use super::sealing::{Seal, SealedStore};
use super::store::Store;
use super::stored::{Answer, StoredMessage};
use super::waiters::Waiters;
use crate::control::{Lanes, Registry};
use crate::outcome::BoxError;
use crate::rt::{Clock, Rng};
use crate::settings::{ConfigError, ValidationError};

/// Builds an [`Outbox`].
#[derive(Clone, Debug)]
#[must_use = "an outbox is not built until `build`"]
pub struct OutboxBuilder<S> {
    store: S,
    lanes: Vec<Lane>,
    clock: Clock,
    rng: Rng,
    retention: Duration,
    registries: Vec<Registry>,
    seal: Option<Sealer>,
}

impl Outbox {
    /// An outbox in memory, for tests: what it holds ends with the process.
    pub fn memory() -> OutboxBuilder<MemoryStore> {
        OutboxBuilder::new(MemoryStore::new())
    }

    /// An outbox in one SQLite file on a local disk; it is made if it isn't there.
    ///
    /// One process runs the workers. Others may enqueue into the same file. It may be the host's own database.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(path: impl AsRef<Path>) -> OutboxBuilder<SqliteFile> {
        let path = path.as_ref().to_owned();
        OutboxBuilder::new(SqliteFile { path, hooks: Hooks::default() })
    }

    /// An outbox in PostgreSQL, whose [page](super::postgres) says what it needs. It reads the database's clock.
    #[cfg(feature = "postgres")]
    pub fn postgres(store: PostgresStore) -> OutboxBuilder<PostgresStore> {
        OutboxBuilder::new(store)
    }

    /// An outbox in a store of your own. It reads its own clock.
    pub fn with_store(store: impl Store) -> OutboxBuilder<OwnStore> {
        OutboxBuilder::new(OwnStore(Arc::new(store)))
    }
}

impl<S> OutboxBuilder<S> {
    fn new(store: S) -> Self {
        let (clock, rng) = (Clock::system(), Rng::system());
        Self {
            store,
            lanes: Vec::new(),
            clock,
            rng,
            retention: WEEK,
            registries: Vec::new(),
            seal: None,
        }
    }

    /// Adds a lane: an `&Integration` with the defaults, or a [`Lane`]. An outbox without lanes only enqueues.
    pub fn lane(mut self, lane: impl Into<Lane>) -> Self {
        self.lanes.push(lane.into());
        self
    }

    /// How long delivered, cancelled and discarded messages are kept, for tickets and for people; 7 days by
    /// default. Dead ones stay until a person discards them.
    pub fn retention(mut self, time: Duration) -> Self {
        self.retention = time;
        self
    }

    /// Shows the lanes in this [registry](Registry::lanes), and in the health of their integrations there.
    pub fn register(mut self, registry: &Registry) -> Self {
        self.registries.push(registry.clone());
        self
    }

    /// Encrypts requests and answers before they are stored, by functions of yours. Nothing is encrypted by default; what
    /// was stored so is delivered all the same.
    pub fn seal(mut self, seal: impl Seal) -> Self {
        self.seal = Some(Sealer(Arc::new(seal)));
        self
    }

    /// The wall clock. In tests with tokio's paused time, give it an [anchored](Clock::anchored) one, which
    /// moves along.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The source of chance.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }
}

impl<S: OpenStore> OutboxBuilder<S> {
    /// Builds it, and opens the store. A file blocks for some milliseconds; one of an older version is brought to this one
    /// first, about 30 s for a million messages of 2 KB, in which other processes can't enqueue.
    ///
    /// # Errors
    ///
    /// [`OutboxErrorKind::Settings`] names every setting that can't work; else what the store says.
    pub fn build(self) -> Result<Outbox, OutboxError> {
        self.check()?;
        let seal = self.seal.map(|seal| seal.0);
        let mut store = self.store.open(self.clock, seal.clone())?;
        if let Some(seal) = seal {
            store = Arc::new(SealedStore::new(store, seal));
        }
        check_settled(&self.lanes, &*store)?;
        let wakes = self.lanes.iter().map(|lane| (lane.name.clone(), Notify::new()));
        let wakes: HashMap<_, _> = wakes.collect();
        let (settling, to_settle) = mpsc::channel(WAITING);
        let inner = Inner {
            store,
            wakes,
            lanes: self.lanes.into_iter().map(Arc::new).collect(),
            clock: self.clock,
            ahead: AtomicI64::new(0),
            owner: Uuid::from_bytes(self.rng.id_bytes()).to_string(),
            rng: self.rng,
            retention: self.retention,
            waiters: Waiters::default(),
            is_registered: !self.registries.is_empty(),
            counted: std::sync::Mutex::default(),
            settling,
            stop: watch::channel(None).0,
            is_running: AtomicBool::new(false),
            missing_keys: MissingKeys::default(),
            failing: AtomicU8::new(0),
        };
        let inner = Arc::new(inner);
        for registry in &self.registries {
            let lanes: Arc<dyn Lanes> = Arc::clone(&inner) as Arc<dyn Lanes>;
            registry.add_lanes(Arc::downgrade(&lanes));
        }
        Ok(Outbox { inner, to_settle: Arc::new(Mutex::new(to_settle)) })
    }

    fn check(&self) -> Result<(), OutboxError> {
        let mut found = Vec::new();
        for (at, lane) in self.lanes.iter().enumerate() {
            lane.check_into(&mut found);
            if self.lanes[..at].iter().any(|other| other.name == lane.name) {
                let problem = match lane.destination.integration() {
                    Some(_) => "two lanes have this name: give one another by `name`",
                    None => {
                        "two functions handle the events of this source: give it one `on_event`"
                    }
                };
                found.push(ValidationError::new(lane.name.clone(), problem));
            }
        }
        ConfigError::check(None, found).map_err(|error| {
            OutboxError::new(OutboxErrorKind::Settings, error.to_string()).with_source(error)
        })
    }
}

/// What is neither sent nor settled would only be marked as delivered; a function for no lane never runs, and
/// neither does a second one for a lane.
fn check_settled(lanes: &[Lane], store: &dyn Store) -> Result<(), OutboxError> {
    let is_lost =
        |lane: &&Lane| lane.destination.integration().is_none() && !store.has_hook(&lane.name);
    let is_no_lane = |name: &str| !lanes.is_empty() && lanes.iter().all(|it| it.name != name);
    let hooked = store.hooked();
    let mut known = BTreeSet::new();
    let why = if let Some(lane) = lanes.iter().find(is_lost) {
        format!("lane {:?} has no function that settles its messages", lane.name)
    } else if let Some(name) = hooked.iter().find(|name| !known.insert(name.as_str())) {
        format!(
            "lane {name:?} has two functions that settle its messages: give it one, which does both"
        )
    } else if let Some(name) = hooked.iter().find(|name| is_no_lane(name)) {
        let names: Vec<_> = lanes.iter().map(|lane| lane.name.as_str()).collect();
        format!("on_delivered names {name:?}, and no lane has this name: there are {names:?}")
    } else {
        return Ok(());
    };
    Err(OutboxError::new(OutboxErrorKind::Settings, why))
}

impl OutboxBuilder<MemoryStore> {
    /// Settles delivered messages of a lane by this function. See the [module](super#settling).
    pub fn on_delivered<F>(mut self, lane: impl Into<String>, settle: F) -> Self
    where
        F: Fn(&StoredMessage, &Answer) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        self.store = self.store.on_delivered(lane, settle);
        self
    }
}

#[cfg(feature = "sqlite")]
impl OutboxBuilder<SqliteFile> {
    /// Settles delivered messages of a lane by this function, in the transaction that marks them delivered.
    /// See the [module](super#settling).
    ///
    /// It runs on the thread that writes to the file, so it must not block on anything else, and must neither
    /// begin nor end a transaction.
    pub fn on_delivered<F>(mut self, lane: impl Into<String>, settle: F) -> Self
    where
        F: Fn(&rusqlite::Connection, &StoredMessage, &Answer) -> Result<(), BoxError>
            + Send
            + Sync
            + 'static,
    {
        self.store.hooks.add(lane, Arc::new(settle));
        self
    }
}

#[cfg(feature = "postgres")]
impl OutboxBuilder<PostgresStore> {
    /// Settles delivered messages of a lane by this function, as [`PostgresStore::on_delivered`] does.
    pub fn on_delivered<F>(mut self, lane: impl Into<String>, settle: F) -> Self
    where
        F: for<'a> Fn(
                &'a tokio_postgres::Transaction<'a>,
                &'a StoredMessage,
                &'a Answer,
            ) -> PostgresHookFuture<'a>
            + Send
            + Sync
            + 'static,
    {
        self.store = self.store.on_delivered(lane, settle);
        self
    }
}

/// `Debug` shows nothing of it.
#[derive(Clone)]
struct Sealer(Arc<dyn Seal>);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// Longer than providers' retries and people's weekends.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// Settlements that wait beside those of the running batch.
const WAITING: usize = 64;
