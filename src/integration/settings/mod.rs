//! Settings from TOML, JSON or whatever else serde reads.
//!
//! A file is merged over what was set in code, so it names only what differs. What is removed from the
//! file is again as it was in code.

mod client;
mod config;
mod paths;
mod tables;
#[cfg(feature = "fleet")]
mod told;

pub use config::IntegrationConfig;

pub(super) use config::Settings;
