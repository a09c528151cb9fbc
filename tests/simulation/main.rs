//! Seeded worlds in virtual time over whole integrations.

mod caller;
mod clock;
mod draw;
mod keys;
mod later;
mod modes;
mod promises;
mod provider;
mod runs;
mod shrink;
mod spec;
mod terms;
mod told;
mod world;
