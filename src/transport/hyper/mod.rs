//! The own client: hyper's connections, in a pool that is the integration's alone.
//!
//! One pool over all providers lets the slowest one starve the others, and a pool without a time to
//! live keeps talking to a server that DNS left an hour ago. Here each integration has its own, with
//! limits in number and in time that hold on HTTP/1.1 and HTTP/2:
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`max_connections_per_host`](HyperConfig::max_connections_per_host) | none | the bulkhead bounds calls; set it where a provider bounds connections |
//! | [`acquire_timeout`](HyperConfig::acquire_timeout) | none | a wait for a connection is a part of the attempt, whose limit holds |
//! | [`connect_timeout`](HyperConfig::connect_timeout) | 1 s (`background`: 3 s) | name, TCP and TLS together; the error says which of them took too long |
//! | [`time_to_live`](HyperConfig::time_to_live) | 5 min ± 20 % | a host that moved is followed; not all connections at once |
//! | [`pool_idle_timeout`](HyperConfig::pool_idle_timeout) | 30 s | less than most servers keep a connection that nobody uses |
//! | [`pool_max_idle_per_host`](HyperConfig::pool_max_idle_per_host) | none | |
//! | [`tcp_keepalive`](HyperConfig::tcp_keepalive) | 30 s | |
//! | [`http2_ping`](HyperConfig::http2_ping) | after 20 s, for 10 s | a dead connection with requests on it is found out |
//! | `tls` (feature `rustls`) | Mozilla's roots, ring | the same on every machine |
//! | [`happy_eyeballs`](HyperConfig::happy_eyeballs) | 300 ms | RFC 8305 recommends 150 to 250 ms; hyper-util's default |
//!
//! Whoever waits for a connection is served in the order in which they came. A connection on which a
//! limit passed, that led to the wrong server (421) or that broke is not used again. One that the
//! server closed while nobody used it costs a call nothing: hyper hands the request back unsent, and
//! it goes over another one, whatever its method. [`PoolHandle`](super::pool::PoolHandle) reads the
//! figures and opens connections ahead of the first call.
//!
//! It follows no redirects: a 3xx is the answer. A request that was on an HTTP/2 connection when its
//! peer ended that (`GOAWAY`) may have been processed, also where the peer says that it was not: hyper
//! doesn't tell the last stream that the peer names.
//!
//! # Credentials in a URI
//!
//! A request to `https://user:password@host/` is refused before anything is sent
//! ([`ErrorKind::Request`](crate::ErrorKind::Request)): HTTP sends no credentials there (RFC 9110,
//! 4.2.4), and URIs end up in logs. They belong into an `authorization` header.
//!
//! # Why a pool of its own
//!
//! hyper-util's client can't bound its connections: it begins a new one for each request that finds
//! none free, and where another comes back first, the new one goes on in the background. Bounded
//! from outside (a permit inside the connection), those that go on pile up and wait for permits that
//! nobody needs. Its composable pool (`client::pool`) has neither a bound nor a queue. So the pool
//! is ours, in `pool/`; connections, their I/O, TCP and TLS are hyper's, hyper-util's and rustls'.
//!
//! # Events
//!
//! [`ConnectionOpened`](crate::event::Event::ConnectionOpened),
//! [`ConnectionClosed`](crate::event::Event::ConnectionClosed), and
//! [`TimedOut`](crate::event::Event::TimedOut) with
//! [`Phase::Acquire`](crate::outcome::Phase::Acquire).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::Integration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stripe = Integration::user_flow("stripe")
//!     .hyper(|client| {
//!         client.max_connections_per_host(32).acquire_timeout(Duration::from_millis(250))
//!     })
//!     .build()?;
//!
//! if let Some(pool) = stripe.pool() {
//! #   if false {
//!     pool.warm_up("https://api.stripe.com/".parse()?, 4).await?;
//! #   }
//!     println!("{:?}", pool.figures());
//! }
//! # Ok(()) }
//! ```

mod config;
mod connect;
mod pool;
#[cfg(not(feature = "proxy"))]
#[path = "direct.rs"]
mod proxy;
#[cfg(feature = "proxy")]
mod proxy;
mod request;
mod resolve;
mod service;
#[cfg(not(feature = "rustls"))]
#[path = "plain.rs"]
mod tls;
#[cfg(feature = "rustls")]
mod tls;

pub use config::HyperConfig;
pub use pool::Hold;
pub use resolve::{Resolve, Resolved};
pub use service::{HyperTransport, ResponseBody, ResponseFuture};
