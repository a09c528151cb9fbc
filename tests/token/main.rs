//! Tokens that outlive their issuer, in paused time, and over real sockets where a network is part of it.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod bench;
mod check;
mod fetches;
mod key_file;
mod long;
mod refusals;
mod requests;
mod secrets;
#[cfg(all(feature = "oauth", feature = "redirect"))]
mod wire;
