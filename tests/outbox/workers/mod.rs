//! What workers do, in paused time, with a provider that answers as it is told.

mod bench;
mod deliveries;
mod ends;
mod lanes;
#[cfg(feature = "sqlite")]
mod outages;
mod polls;
#[cfg(feature = "sqlite")]
mod troubles;
mod unknown;
