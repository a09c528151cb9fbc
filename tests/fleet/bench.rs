//! Fleets of a test's own, on the server that all tests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::PostgresPool;
use outrigger::outbox::tokio_postgres::{Client, NoTls, connect};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{BoxError, Integration};

use crate::server::{self, Server};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A schema of a test's own.
pub(crate) struct Place {
    pub(crate) server: &'static Server,
    pub(crate) schema: String,
}

/// One instance of a service, in this process.
pub(crate) struct Instance {
    pub(crate) fleet: Fleet,
    pub(crate) registry: Registry,
    pub(crate) payments: Integration,
    pub(crate) recorder: EventRecorder,
}

impl Place {
    /// `None` if there is no PostgreSQL on this machine.
    pub(crate) async fn new() -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let server = server::shared()?;
        let schema = format!("fleet_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let place = Self { server, schema };
        place.fleet(&Registry::new(), "maker").migrate().await.unwrap();
        Some(place)
    }

    /// On a server of a test's own.
    pub(crate) async fn on(server: &'static Server) -> Self {
        let place = Self { server, schema: "outrigger".to_owned() };
        place.fleet(&Registry::new(), "maker").migrate().await.unwrap();
        place
    }

    /// One whose leases are short.
    pub(crate) fn sharing_fleet(&self, registry: &Registry, name: &str) -> Fleet {
        let fleet = Fleet::postgres(registry, &self.pool()).schema(&self.schema);
        fleet.instance(name).lease(crate::shares::LEASE).build()
    }

    /// Connections that can't be made while this is set, and a name to end them by.
    pub(crate) fn pool_to_cut(&self) -> (PostgresPool, Arc<AtomicBool>) {
        let text = format!("{} application_name=outrigger_cut", self.server.connection_string());
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        let pool = PostgresPool::connect_by(move || {
            let (text, is_cut) = (text.clone(), cut.load(Ordering::SeqCst));
            async move {
                match is_cut {
                    true => Err(std::io::Error::other("no way to the database").into()),
                    false => connect(&text, NoTls).await.map_err(BoxError::from),
                }
            }
        });
        (pool.connections(1), is_cut)
    }

    pub(crate) async fn terminate(&self, name: &str) {
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = ";
        let _: i64 = self.number(&format!("{end}'{name}'")).await;
    }

    /// How many shares are given.
    pub(crate) async fn holders(&self) -> i64 {
        self.number("SELECT count(*) FROM outrigger.fleet_share").await
    }

    /// How many accounts' rates are shared, or were.
    pub(crate) async fn accounts(&self) -> i64 {
        self.number("SELECT count(*) FROM outrigger.fleet_account").await
    }

    /// The sum of all shares whose leases hold, in millionths of a request a second.
    pub(crate) async fn given(&self) -> i64 {
        let all = "SELECT sum(used)::bigint FROM outrigger.fleet_share WHERE ends > outrigger.fleet_now()";
        self.number(all).await
    }

    /// How many breakers are told to be open.
    pub(crate) async fn outages(&self) -> i64 {
        self.number("SELECT count(*) FROM outrigger.fleet_outage").await
    }

    /// How many statements the server has run.
    pub(crate) async fn statements(&self) -> i64 {
        self.number("SELECT sum(xact_commit)::bigint FROM pg_stat_database").await
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = sql.replace("outrigger.", &format!("{}.", self.schema));
        self.client().await.query_one(&sql, &[]).await.unwrap().get(0)
    }

    pub(crate) fn pool(&self) -> PostgresPool {
        PostgresPool::no_tls(&self.server.connection_string()).unwrap().connections(1)
    }

    /// One that doesn't run.
    pub(crate) fn fleet(&self, registry: &Registry, name: &str) -> Fleet {
        let fleet = Fleet::postgres(registry, &self.pool()).schema(&self.schema);
        fleet.instance(name).build()
    }

    /// One that runs and has heard its fleet.
    pub(crate) async fn instance(&self, name: &str) -> Instance {
        let recorder = EventRecorder::new();
        let registry = Registry::new().subscriber(recorder.clone());
        let payments = payments(&registry);
        let fleet = self.fleet(&registry, name);
        run(&fleet);
        assert!(fleet.wait_heard(PATIENCE).await, "{name} hears the fleet");
        Instance { fleet, registry, payments, recorder }
    }

    pub(crate) async fn client(&self) -> Client {
        let connected = connect(&self.server.connection_string(), NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Does SQL whose `outrigger.` is this schema.
    pub(crate) async fn sql(&self, sql: &str) {
        let sql = sql.replace("outrigger.", &format!("{}.", self.schema));
        self.client().await.batch_execute(&sql).await.unwrap();
    }
}

impl Instance {
    pub(crate) fn mode(&self) -> SwitchMode {
        self.payments.kill_switch().mode()
    }

    /// Waits until its kill switch is there.
    pub(crate) async fn comes_to(&self, mode: SwitchMode) {
        until(self.fleet.instance(), async || self.mode() == mode).await;
    }

    /// What it doesn't obey, as health says.
    pub(crate) fn troubles(&self) -> Vec<(String, String)> {
        let health = self.registry.health_of("payments").unwrap();
        let troubles = health.fleet.unwrap().troubles.into_iter();
        troubles.map(|trouble| (trouble.of, trouble.why)).collect()
    }
}

/// An integration that doesn't call anybody.
pub(crate) fn payments(registry: &Registry) -> Integration {
    named("payments", registry)
}

pub(crate) fn named(name: &str, registry: &Registry) -> Integration {
    let service = Script::by(|_| Answer::status(200));
    Integration::user_flow(name).service(service).register(registry).build().unwrap()
}

pub(crate) fn run(fleet: &Fleet) {
    let fleet = fleet.clone();
    tokio::spawn(async move { fleet.run().await.unwrap() });
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < end, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
