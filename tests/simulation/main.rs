//! Seeded worlds in virtual time over whole integrations.

#[cfg(feature = "cache")]
mod caches;
mod caller;
mod clock;
mod directed;
mod draw;
mod keys;
mod lies;
mod modes;
mod promises;
mod provider;
mod runs;
mod shrink;
mod spec;
mod terms;
mod tokens;
mod told;
mod world;
