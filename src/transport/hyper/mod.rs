//! The default transport: a hyper-util client of one's own, with its own pool.
//!
//! It speaks HTTP/1.1 and, where TLS agrees on it by ALPN or where it is told so, HTTP/2. Making a
//! connection has a limit of its own, because a provider that doesn't answer the door should not be
//! waited for as long as one that thinks; an attempt that didn't get through the door was provably
//! not sent.
//!
//! | setting | default | why |
//! |---|---|---|
//! | `connect_timeout` | 1 s | a round trip or two, and TLS |
//! | `pool_idle_timeout` | 30 s | shorter than the keep-alive of most servers |
//! | `pool_max_idle_per_host` | unlimited | what was needed once is needed again |
//! | `tcp_keepalive` | 30 s | finds peers that vanished |
//! | roots | Mozilla's, by `webpki-roots` | the same on every machine |
//!
//! ```
//! use std::time::Duration;
//! use outrigger::Integration;
//!
//! # fn main() -> Result<(), outrigger::ConfigError> {
//! let stripe = Integration::user_flow("stripe")
//!     .hyper(|client| client.connect_timeout(Duration::from_millis(500)))
//!     .build()?;
//! # let _ = stripe;
//! # Ok(()) }
//! ```

mod config;
mod connect;
mod pool;
mod request;
mod service;
#[cfg(not(feature = "rustls"))]
#[path = "plain.rs"]
mod tls;
#[cfg(feature = "rustls")]
mod tls;

pub use config::HyperConfig;
pub use pool::Hold;
pub use service::{HyperTransport, ResponseBody, ResponseFuture};
