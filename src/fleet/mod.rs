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
//!   later. Nor are they done by one that hears of them more than a minute later, by the database's clock. An instance that has the integration and not the control counts as one that doesn't obey, until the word is
//!   [forgotten](Fleet::forget).
//!   Each instance tells which controls it has: a name or a position that none has is refused, with the one that was probably
//!   meant; [`set_ahead`](Fleet::set_ahead) sets what will be deployed.
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
//! Meanwhile the instance counts as one that doesn't obey, and its health, the console and the list say so: `set to "on" on the spot by bob; the
//! fleet says "off"`. When an instance starts, or an integration is registered, the fleet's word is the later one. Don't let a kill
//! switch follow a file and a fleet.
//!
//! [`forget`](Fleet::forget) leaves a control to whoever sets it next.
//!
//! What an instance can't obey, it names: a setting that its older version doesn't know is left out, so that its code's value holds, and the rest
//! is applied; settings that don't go together with what is set in its code are not applied at all, and those that it had stay. So it is with a
//! `preset` other than the one that it was built as: a preset isn't changed while it runs. Neither holds up other integrations.
//!
//! # One account's rate
//!
//! A provider that allows 100 requests a second allows them to the account, and not to each of forty instances. Integrations whose
//! rate limit names the same [account](crate::rate_limit::RateLimitLayer::account), in code or in a file, share its rate:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use outrigger::{Integration, control::Registry};
//! # fn build(registry: &Registry) -> Result<Integration, outrigger::ConfigError> {
//! Integration::background("mailer")
//!     .rate_limit(|limit| limit.requests(100, Duration::from_secs(1)).account("mailer-live"))
//!     .register(registry)
//!     .build()
//! # }
//! ```
//!
//! - **Leases**: each integration of each instance is given a share for 30 s ([`lease`](FleetBuilder::lease)), renews it every
//!   3 s, and keeps to it by its own rate limit: no call asks anybody. What the provider reports and refuses lowers it further, on
//!   that instance.
//! - **Demand counts**: each tells how many requests a second its calls ask for. Those that want little get it and a quarter more,
//!   the others get the same (max-min fairness); a tenth of an equal part is for one that is idle, so that it can begin. Most
//!   of what nobody wants is left for whoever comes to want it: a call that has to wait has it asked for at once.
//! - **The sum** of all shares is never more than the rate, whatever is lost and whoever stops: an instance that has to give
//!   back is counted with what it had until it has said that it uses less. Bursts are shared in the same way, but each
//!   may begin with one request. Where instances are set to different rates, the lowest one holds.
//! - **An instance that ends**: [`shut_down`](Fleet::shut_down) gives its shares back at once, so it comes last. One that is killed keeps
//!   the others waiting until its lease has ended. One that stood still, or whose machine slept, looks before each call
//!   whether its lease still holds: it has saved up nothing.
//! - **A new instance** uses a thousandth of the rate until it is answered. If all is given, it waits until the others have
//!   lowered theirs, about 4 s; its calls wait too, if they may.
//! - **The database is away**: all go on with their last shares until their leases end. If it is back by then, nobody has lost
//!   anything. After that, each uses a hundredth of the rate, or a tenth divided by all holders if there are more than ten, and never
//!   more than it had; after ten minutes, a tenth of that.
//! - **One that alone can't reach it** does the same, while others are given its share: not before its lease has ended on both sides,
//!   so that the rate isn't exceeded. A hundredth of the rate is always left for such instances, and for ten minutes a hundredth
//!   more for each that ended without a word, a tenth at most. What remains is short: where more than ten integrations of instances start at the same moment,
//!   each has its thousandth until it is answered.
//! - **A longer lease** bridges a longer outage, and leaves the share of an instance that was killed unused for longer.
//! - **A rate that is lowered** lowers each share in the same way, at once, without the database.
//! - **Clocks** needn't agree: leases end by the database's clock there, and by the time that has gone by on either of an
//!   instance's own clocks here. A clock that is set forward costs a share until the next renewal. If the database's own is set forward, others are given
//!   shares early: that exceeds the rate by what it allows in one lease. If it is set back, leases end a lease later at most.
//!
//! In the simulation of its tests: a share follows a demand that rises from nothing within a second where the rate is free, and within 5 s where others
//! have to lower theirs; 99 % of the rate is used where twice as much is wanted; with one busy instance after the other, for 20 s
//! each, 88 % of 5 instances' calls and 76 % of 40 instances' are answered. 40 instances on a real server ask it 75 statements a second, all
//! included.
//!
//! # Hints
//!
//! An instance with few calls takes long to see by itself that a provider is down: ten failures in a row are fifty
//! seconds at one call each five. Each instance tells which of its [breakers](crate::circuit_breaker) results have opened. If half of those that
//! have the integration say so, and at least two, the others get a hint: there, three failures in a row and a quarter of
//! [`no_success_for`](crate::circuit_breaker::CircuitBreakerLayer::no_success_for) open it. (In the
//! simulation of its tests: 14 s instead of 50 s; and where one call in a hundred fails, a wrong hint opens nothing in 100,000 calls.)
//!
//! A hint alone neither opens a breaker nor refuses a call. A success of its own erases it, and 12 s after it was told last
//! at most, it is forgotten. One instance alone, whose way out is broken or that tells what isn't so, changes nothing for others;
//! nor does what people opened by hand, and a breaker that a hint helped to open doesn't count until its own failures are
//! enough. Slow answers are not told, and a breaker that
//! has seen no failure for 15 s tells nothing: where nobody calls, nobody knows. A breaker closes by its own results alone: one that is open asks the provider
//! twice a second, if there are calls. Keys of breakers are told as hashes, at most a hundred of an integration by an instance; whoever may read the table
//! can find out a key by trying names.
//!
//! # When the database is away
//!
//! Controls and settings stay as they were told last; nothing goes back to a default. Looking goes on, and what is new is obeyed as
//! soon as it is back. [Health](crate::control::FleetHealth) says since when the fleet isn't heard. An instance that *starts* meanwhile has
//! the controls and settings of its code, and says so. `set` and `configure` fail: what can't wait is set on each instance by its handle.
//!
//! An older copy of the database that is restored is obeyed as it is: what was said since is gone. Each instance that has seen a later change
//! tells so by an event, [`FleetEvent::Restored`].
//!
//! Nothing depends on the clocks of instances: times that are compared are the database's, waits are measured by monotonic clocks. An
//! instance that stood still obeys with its next look.
//!
//! # The list of instances
//!
//! Each tells every five seconds that it is there, and at once when it has taken over a change or can't. Without a sign for 15 s it
//! counts as not seen: it has ended, or it can't reach the database and stays as it is. After a day it is taken off the list. One that is [shut down](Fleet::shut_down) takes itself off.
//!
//! # What it needs of the database
//!
//! PostgreSQL 12 or later (tested with 15), and one connection of the pool for milliseconds at a time: two statements a second for
//! each instance, and one less where no rate is shared. PgBouncer in transaction mode works: there are no session locks, no named prepared statements and no `LISTEN`, which
//! would hold a connection of its own for each instance, and which such a PgBouncer doesn't pass on; looking every two seconds is quick enough.
//! The tables `fleet_meta`, `fleet_control`, `fleet_settings`, `fleet_instance`, `fleet_account`, `fleet_share` and `fleet_outage` and the
//! function `fleet_now` stand in a schema, by default `outrigger`, beside the outbox's, which they don't need. [`Fleet::migrate`] makes them; whoever keeps the schema by hand runs
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
//! [`FleetEvent`]: the fleet isn't heard, is heard again, was restored, or can't be obeyed; a share is held, or has ended; a hint has come. Health
//! has the [share](crate::control::ShareHealth) and the hint, and so have the gauges `outrigger.rate_limit.share`, `.demand` and
//! `outrigger.breaker.hinted`. The gauges `outrigger.fleet.obeys` and
//! `outrigger.fleet.heard_ago` (feature `metrics`), two alerts, and rows in the [runbook](crate::runbook).
//!
//! # When not to use it
//!
//! - One process: its [registry](crate::control) is enough.
//! - Milliseconds count: a change takes up to three seconds.
//! - For your own feature flags: it knows controls and settings of integrations, and nothing of your users. A flag service that you have
//!   already can be a [source](crate::kill_switch::SwitchSource) of the kill switch.
//! - Each machine is to be steered by itself.
//! - A rate shared by instances is less than about one request a lease for each of them, or a quota of a day that is counted
//!   exactly: shares are rates, and part of them is always unused somewhere. Send those calls by one
//!   [outbox](crate::outbox) lane.
//! - A rate for each tenant: an account can't have keys.

mod acts;
mod builder;
#[cfg(feature = "console")]
mod by_console;
mod database;
mod error;
mod handle;
mod hints;
mod inner;
mod names;
mod obey;
mod polling;
mod share;
mod state;
#[cfg(test)]
mod tests;
mod words;

pub use acts::Wanted;
pub use builder::FleetBuilder;
pub use error::{FleetError, FleetErrorKind};
pub use handle::Fleet;

pub use crate::terms::fleet::FleetEvent;
