//! Observe and control all integrations of a running service.
//!
//! A [`Registry`] knows every integration that was [registered](crate::Integration::register) with
//! it and still exists: its name, its [`Health`], its [`Control`]s. That is enough for an admin
//! page or a metrics endpoint. It also wires: its [subscribers](Registry::subscriber) are told of the
//! events of every integration that is [built with it](crate::IntegrationBuilder::register). It also has the
//! [lanes](Registry::lanes) of outboxes, and the fleet that its integrations obey (feature `fleet`). With the feature `serde`, health is `Serialize`.
//!
//! | control | positions |
//! |---|---|
//! | `kill_switch` | `on`, `no-retries`, `cache-only`, `fallback-only`, `off` |
//! | `circuit_breaker` | `automatic`, `open`, `closed` |
//! | the name of a [local copy](crate::local_copy) | `automatic`; `reload` begins a load; `accept` lets the next load pass the guard that refused the last one |
//! | `fault_injection` | `off`; it is started only by its handle, which says what faults to inject |
//!
//! ```
//! use outrigger::telemetry::tracing::Spans; // the feature `tracing`, which is on by default
//! use outrigger::{Integration, control::Registry};
//! # use outrigger::testing::{Answer, Script};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new().subscriber(Spans::new());
//! let stripe = Integration::user_flow("stripe")
//!     .register(&registry)
//! #   .service(Script::new([Answer::status(200)]))
//!     .build()?;
//!
//! registry.set("stripe", "kill_switch", "off", "ada", "invoices are wrong")?;
//! for health in registry.health() {
//!     println!("{}: {}", health.integration, health.status);
//! }
//! assert_eq!(stripe.kill_switch().position().who(), Some("ada"));
//! # Ok(()) }
//! ```

mod any_copy;
mod controls;
mod fleet;
mod health;
mod pool_figures;
mod registry;
#[cfg(feature = "serde")]
mod serial;

pub(crate) use any_copy::AnyCopy;
pub use controls::{Control, ControlError, ControlState};
#[cfg(any(feature = "console", feature = "fleet"))]
pub(crate) use fleet::AnyFleet;
#[cfg(all(feature = "console", feature = "fleet"))]
pub(crate) use fleet::FleetAnswer;
#[cfg(feature = "console")]
pub(crate) use fleet::{FleetConfigure, FleetSet, FleetSettings, Obeyed};
pub use fleet::{FleetHealth, FleetInstance, FleetTrouble, FleetView, FleetWord};
pub use health::{
    BreakerHealth, BulkheadHealth, CacheHealth, Expiry, FallbackHealth, Health, HedgeHealth,
    KeyedBreakersHealth, KeyedTokensHealth, LaneHealth, LanePause, LastRejection, LocalCopyHealth,
    MirrorHealth, PinHealth, RateLimitHealth, ShareHealth, SigningHealth, TokenHealth,
    ValidationHealth,
};
pub use pool_figures::{Closed, PoolFigures};
#[cfg(feature = "outbox")]
pub(crate) use registry::Lanes;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(crate) use registry::WeakRegistry;
pub use registry::{Controllable, Registry};

pub use crate::event::Drift;
pub use crate::terms::local_copy::{CopyState, LoadFailure, SnapshotProblem};
pub use crate::terms::{
    Credential, DriftKind, InstanceState, Status, TokenFailure, TokenState, Verdict,
};
