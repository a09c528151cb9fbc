//! What workers do, in paused time, with a provider that answers as it is told.

mod batches;
mod bench;
#[cfg(feature = "serde")]
mod config;
mod deliveries;
mod ends;
#[cfg(feature = "serde")]
mod health;
mod lanes;
#[cfg(feature = "sqlite")]
mod outages;
mod polls;
mod seals;
mod tenants;
#[cfg(feature = "sqlite")]
mod troubles;
mod unknown;
