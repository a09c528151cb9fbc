//! Tokens that outlive their issuer, in paused time, and over real sockets where a network is part of it.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod bench;
mod check;
mod expired;
mod fetches;
#[cfg(feature = "oauth")]
mod file_store;
mod key_file;
mod long;
mod refusals;
#[cfg(feature = "serde")]
mod reload;
mod requests;
#[cfg(feature = "oauth")]
mod rotation;
mod secrets;
#[cfg(feature = "oauth")]
mod strange;
mod tenants;
#[cfg(all(feature = "oauth", feature = "redirect"))]
mod wire;
