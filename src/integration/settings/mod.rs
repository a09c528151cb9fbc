//! Settings from TOML, JSON or whatever else serde reads.
//!
//! What a file says is laid over what was set in code, so that a file names only what differs, and
//! what is taken out of it is again as it was in code.

mod client;
mod config;
mod paths;
mod tables;

pub use config::IntegrationConfig;

pub(super) use config::Settings;
