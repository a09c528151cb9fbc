use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::database::Database;
use super::handle::Fleet;
use super::inner::{Hearing, Inner};
use super::share;
use crate::control::{AnyFleet, Registry};
use crate::event::Emitter;
use crate::outbox::postgres::{PostgresPool, quoted};
use crate::rt::{self, Clock, Rng};

/// Builds a [`Fleet`].
#[derive(Clone, Debug)]
#[must_use = "a fleet is not built until `build`"]
pub struct FleetBuilder {
    pool: PostgresPool,
    registry: Registry,
    /// The schema's name, quoted.
    schema: String,
    instance: Option<String>,
    lease: Duration,
    rng: Rng,
    clock: Clock,
}

impl Fleet {
    /// A fleet in PostgreSQL, which the integrations of a registry obey: those that are registered by now, and those
    /// that will be. A registry has one fleet.
    pub fn postgres(registry: &Registry, pool: &PostgresPool) -> FleetBuilder {
        FleetBuilder {
            pool: pool.clone(),
            registry: registry.clone(),
            schema: quoted("outrigger"),
            instance: None,
            lease: LEASE,
            rng: Rng::system(),
            clock: Clock::system(),
        }
    }
}

impl FleetBuilder {
    /// This instance's name, such as `web-3`; the machine's name and eight random letters and digits by default. People read it.
    /// No two instances that run at a time may have the same: the list would show only one of them.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// Its tables stand in this schema; `outrigger` by default. All instances with the same schema are one fleet.
    ///
    /// # Panics
    ///
    /// If the name has other characters than letters, digits and `_`, or more than 63.
    pub fn schema(mut self, name: &str) -> Self {
        self.schema = quoted(name);
        self
    }

    /// For how long an instance is given its share of an [account's](crate::rate_limit::RateLimitLayer::account) rate; 30 s
    /// by default, at least a second. It is renewed ten times as often. The share of an instance that is killed is
    /// missing for so long, and an instance that can't reach the database goes on with its last share for so long. All
    /// instances have the same.
    pub fn lease(mut self, time: Duration) -> Self {
        self.lease = time.max(SHORTEST_LEASE);
        self
    }

    /// The source of chance.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// The wall clock, by which health says since when the fleet isn't heard, and a share of a rate notices that the machine has
    /// slept. It may be wrong: only the time that goes by on it matters.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds it. It does nothing until it [runs](Fleet::run), except that integrations with an account use a thousandth of its
    /// rate from now on.
    pub fn build(self) -> Fleet {
        let host = rt::host_name();
        let name = self.instance.unwrap_or_else(|| format!("{host}-{}", suffix(&self.rng)));
        let subscribers = self.registry.subscribers().into_iter();
        let inner = Arc::new(Inner {
            database: Database { pool: self.pool.0, schema: self.schema },
            registry: self.registry,
            name,
            host,
            lease: self.lease,
            emitter: subscribers.fold(Emitter::new(), Emitter::with_shared),
            rng: self.rng,
            clock: self.clock,
            state: Mutex::default(),
            hearing: Mutex::new(Hearing::new(rt::now())),
            heard: watch::channel(false).0,
            wake: Notify::new(),
            stop: watch::channel(false).0,
            is_running: AtomicBool::new(false),
        });
        let fleet: Weak<dyn AnyFleet> = Arc::downgrade(&(Arc::clone(&inner) as Arc<dyn AnyFleet>));
        inner.registry.obey(fleet);
        inner.integrations().for_each(|it| share::begin(&it, self.clock));
        Fleet(inner)
    }
}

fn suffix(rng: &Rng) -> String {
    let [a, b, c, d, ..] = rng.id_bytes();
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}

/// Outlasts a restart of the database, and a share that is missing for so long is bearable.
const LEASE: Duration = Duration::from_secs(30);
/// With less, the database would be asked more than ten times a second.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
