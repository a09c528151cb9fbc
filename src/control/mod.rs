//! What can be steered and seen while a service runs, in one place.
//!
//! A [`Registry`] knows every integration that was [registered](crate::Integration::register) with it
//! for as long as that lives: their names, their [`Health`], their [`Lever`]s. An admin page or a
//! metrics endpoint needs nothing else; with the feature `serde`, health is `Serialize`.
//!
//! | lever | positions |
//! |---|---|
//! | `kill_switch` | `on`, `no-retries`, `cache-only`, `fallback-only`, `off` |
//! | `circuit_breaker` | `automatic`, `open`, `closed` |
//! | `rehearsal` | `off`; which faults it injects is more than a position, so only its handle starts one |
//!
//! ```
//! use outrigger::{Integration, control::Registry};
//! # use outrigger::testing::{Answer, Script};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let stripe = Integration::user_flow("stripe")
//! #   .service(Script::new([Answer::status(200)]))
//!     .build()?;
//! stripe.register(&registry);
//!
//! registry.pull("stripe", "kill_switch", "off", "ada", "invoices are wrong")?;
//! for health in registry.health() {
//!     println!("{}: {}", health.integration, health.status);
//! }
//! assert_eq!(stripe.kill_switch().position().who(), Some("ada"));
//! # Ok(()) }
//! ```

mod health;
mod lever;
mod pool_figures;
mod registry;
#[cfg(feature = "serde")]
mod serial;

pub use health::{
    BreakerHealth, BulkheadHealth, Expiry, Health, HedgeHealth, KeyedBreakersHealth, MirrorHealth,
    RateLimitHealth,
};
pub use lever::{Lever, LeverError, LeverState};
pub use pool_figures::{Closed, PoolFigures};
pub use registry::{Registry, Steered};

pub use crate::terms::{Credential, Status};
