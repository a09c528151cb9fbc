//! One switch and one set of settings for all instances of a service (feature `fleet`), over the PostgreSQL that is there already.
//!
//! Somebody stops payments once, and all forty machines stop within three seconds. The console, or
//! [`instances`](Fleet::instances), says who obeys: "4 of 5 obey; web-3 not seen for 40 s".
//!
//! ```no_run
//! use std::time::Duration;
//! use outrigger::Integration;
//! use outrigger::control::Registry;
//! use outrigger::fleet::Fleet;
//! use outrigger::outbox::postgres::PostgresPool;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let pool = PostgresPool::no_tls("postgres://shop@localhost/shop")?;
//! let fleet = Fleet::postgres(&registry, &pool).instance("web-3").build();
//! fleet.migrate().await?;
//! let runs = fleet.clone();
//! tokio::spawn(async move { runs.run().await });
//! // Better to begin a little later than with a switch that is wrong; without the database, after 10 s all the same.
//! fleet.wait_heard(Duration::from_secs(10)).await;
//! let payments = Integration::user_flow("payments").register(&registry).build()?;
//!
//! // Later, in any of the instances:
//! let change = fleet.set("payments", "kill_switch", "off", "ada", "charges are wrong").await?;
//! println!("{}", fleet.wait_obeyed(change, Duration::from_secs(4)).await?); // 5 of 5 obey
//! fleet.configure("payments", toml::toml! { deadline = "5s" }, "ada", "they are slow").await?;
//! // When the service ends:
//! fleet.shut_down();
//! # let _ = payments;
//! # Ok(()) }
//! ```
//!
//! TLS is yours, as for the outbox: [`PostgresPool::connect_by`](crate::outbox::postgres::PostgresPool::connect_by).
//!
//! # What is obeyed, and when
//!
//! - **Controls**: every [control](crate::control) of every integration in the registry, by its name. What asks for something that is done
//!   once (`reload` and `accept` of a local copy) is done by the instances that run at that time, and not by those that start
//!   later.
//! - **Settings**: a table as a [file](crate::IntegrationConfig) gives it. It takes the place of a file's. All mistakes are named before
//!   anything is stored.
//! - **When**: each instance looks every two seconds, give or take a fifth, with one statement. An integration that is registered later
//!   obeys before its first call, if the fleet was heard by then.
//! - **For a time**: [`set_for`](Fleet::set_for). The database's clock counts; the first instance that looks afterwards sets it back for all.
//!
//! # Who wins
//!
//! The later one. What is set on the spot, by a handle, a [`Registry`](crate::control::Registry) or a source that a kill switch follows,
//! holds on that instance until the fleet says something new about that control; so somebody can stop one machine, or save it.
//! Meanwhile the instance counts as one that doesn't obey, and its health, the console and the list say so: "set to on on the spot by bob;
//! the fleet says off". When an instance starts, or an integration is registered, the fleet's word is the later one. Don't let a kill
//! switch follow a file and a fleet.
//!
//! What an instance can't obey, it names: a setting that its older version doesn't know is left out, and the rest is applied; settings that
//! don't go together with what is set in its code are not applied at all, and those that it had stay. Neither holds up other integrations.
//!
//! # When the database is away
//!
//! Controls and settings stay as they were told last; nothing goes back to a default. Looking goes on, and what is new is obeyed as
//! soon as it is back. [Health](crate::control::FleetHealth) says since when the fleet isn't heard. An instance that *starts* meanwhile has
//! the controls and settings of its code, and says so. `set` and `configure` fail: what can't wait is set on each instance by its handle.
//!
//! Nothing depends on the clocks of instances: times that are compared are the database's, waits are measured by monotonic clocks. An
//! instance that stood still obeys with its next look.
//!
//! # The list of instances
//!
//! Each tells every five seconds that it is there, and at once when it has taken over a change or can't. Without a sign for 15 s it
//! counts as not seen; after an hour it is taken off the list. One that is [shut down](Fleet::shut_down) takes itself off.
//!
//! # What it needs of the database
//!
//! PostgreSQL 12 or later (tested with 15), and one connection of the pool for milliseconds at a time: two statements in three seconds for
//! each instance. PgBouncer in transaction mode works: there are no session locks, no named prepared statements and no `LISTEN`.
//! The tables `fleet_meta`, `fleet_control`, `fleet_settings` and `fleet_instance` and the function `fleet_now` stand in a schema, by
//! default `outrigger`, beside the outbox's, which they don't need. [`Fleet::migrate`] makes them; whoever keeps the schema by hand runs
//! the texts of [`Fleet::migrations`]. Columns are only added, so that instances of two versions are one fleet.
//!
//! Instances and consoles need `USAGE` on the schema, and `SELECT`, `INSERT`, `UPDATE`, `DELETE` on these tables. Whoever may write them
//! steers the service.
//!
//! # All in one database
//!
//! Fleet, outbox and refresh tokens share one pool and one schema: leases of messages, of refresh tokens and the word of the fleet are
//! where the service's own data is, with one backup and nothing else to run.
//!
//! ```no_run
//! use outrigger::Integration;
//! use outrigger::control::Registry;
//! use outrigger::fleet::Fleet;
//! use outrigger::outbox::Outbox;
//! use outrigger::outbox::postgres::{PostgresPool, PostgresStore};
//!
//! # async fn start(registry: Registry) -> Result<(), Box<dyn std::error::Error>> {
//! // Two for the outbox's worker, one for the fleet, one for tokens, two for those who enqueue.
//! let pool = PostgresPool::no_tls("postgres://shop@localhost/shop")?.connections(6);
//! let fleet = Fleet::postgres(&registry, &pool).build();
//! let store = PostgresStore::over(&pool);
//! fleet.migrate().await?;
//! store.migrate().await?;
//!
//! let crm = Integration::background("crm");
//! # #[cfg(feature = "oauth")]
//! # let crm = {
//! use outrigger::outbox::postgres::PostgresTokenStore; // feature `oauth`
//! use outrigger::token::{TokenLayer, oauth::RefreshToken};
//!
//! let tokens = PostgresTokenStore::over(&pool).login("crm");
//! tokens.migrate().await?;
//! let issuer = Integration::user_flow("login").register(&registry).build()?;
//! let user = RefreshToken::new(issuer, "https://login.example/token", "shop", tokens);
//! let crm = crm.token(TokenLayer::new(user));
//! # crm
//! # };
//! let crm = crm.register(&registry).build()?;
//! let outbox = Outbox::postgres(store).lane(&crm).register(&registry).build()?;
//! # let _ = outbox;
//! # Ok(()) }
//! ```
//!
//! # Events and figures
//!
//! [`FleetEvent`]: the fleet isn't heard, is heard again, or can't be obeyed. The gauges `outrigger.fleet.obeys` and
//! `outrigger.fleet.heard_ago` (feature `metrics`), two alerts, and rows in the [runbook](crate::runbook).
//!
//! # When not to use it
//!
//! - One process: its [registry](crate::control) is enough.
//! - Milliseconds count: a change takes up to three seconds.
//! - For your own feature flags: it knows controls and settings of integrations, and nothing of your users. A flag service that you have
//!   already can be a [source](crate::kill_switch::SwitchSource) of the kill switch.
//! - Each machine is to be steered by itself.

mod acts;
mod builder;
mod database;
mod error;
mod handle;
mod hints;
mod inner;
mod obey;
mod polling;
mod share;
mod state;
mod words;

pub use acts::Wanted;
pub use builder::FleetBuilder;
pub use error::{FleetError, FleetErrorKind};
pub use handle::Fleet;

pub use crate::terms::fleet::FleetEvent;
