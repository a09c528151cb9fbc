//! Real sockets on the loopback: what the provider sees, and what the caller is told.
//!
//! Time is real here, because sockets are; so only what happened is asserted, never how long it took.

#![expect(clippy::disallowed_methods, reason = "real sockets live on the machine's clock")]

#[cfg(target_os = "linux")]
mod addresses;
#[cfg(feature = "serde")]
mod applied;
mod bodies;
#[cfg(all(feature = "cache", feature = "redirect", feature = "reqwest"))]
mod cached;
mod calls;
mod client;
mod collected;
#[cfg(feature = "decompression")]
mod decompression;
mod errors;
mod faults;
#[cfg(feature = "redirect")]
mod followed;
mod frames;
mod heads;
mod http1;
mod http2;
mod keys;
mod large_heads;
mod lengths;
#[cfg(target_os = "linux")]
mod moving;
mod panicking;
mod pool;
mod provider;
#[cfg(feature = "proxy")]
mod proxy;
#[cfg(feature = "reqwest")]
mod redirects;
mod refusals;
#[cfg(feature = "reqwest")]
mod reqwest;
mod secrets;
mod server;
mod stopped;
mod tls;
mod uploads;
mod windows;
