//! Versions of a provider's API that an integration pins.

mod builder;
mod pin;
mod state;
mod watch;

pub use pin::Pin;
pub(super) use state::Pins;
