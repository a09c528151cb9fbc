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
//! | [`http2_windows`](HyperConfig::http2_windows) | 1 MiB an answer, 1 GiB a connection | answers that nobody reads must not stop the others |
//! | [`max_header_fields`](HyperConfig::max_header_fields) | 256 | hyper's own 100 are exceeded by storage services and CDNs; curl takes 5,000 |
//! | [`max_head_size`](HyperConfig::max_head_size) | 256 KiB | as Chromium |
//! | [`strict_heads`](HyperConfig::strict_heads) | off | folded values and lines that are no fields are borne as RFC 9112 and browsers do, framing aside |
//! | [`title_case_headers`](HyperConfig::title_case_headers) | off | names have no case (RFC 9110, 5.1) |
//! | `tls` (feature `rustls`) | Mozilla's roots, ring | the same on every machine |
//! | [`happy_eyeballs`](HyperConfig::happy_eyeballs) | 250 ms | RFC 8305, 5 recommends it: few connections more than needed, and the limit is shared by all addresses |
//!
//! Whoever waits for a connection is served in the order in which they came, and so is whoever waits for
//! a stream of an HTTP/2 connection: a host says how many it takes at once, and until it has said so
//! it gets one. As long as a request waits here, or for its connection to be made, it was not sent,
//! whatever ends the wait.
//!
//! A connection on which a limit passed, that led to the wrong server (421) or that broke is not used
//! again. Over HTTP/1.1, a request that is given up before its answer's head came closes its
//! connection at once; over HTTP/2 it loses its stream. An upload whose answer is over goes on as long
//! as the host reads it, and is cut off where it stands still for a second.
//!
//! A connection that the server closed while nobody used it costs a call nothing: hyper hands the
//! request back unsent, and it goes over a fresh one, whatever its method. Where the request was written
//! and its connection breaks, or a limit passes before anything came back, the others that nobody uses
//! and that have answered nothing since are closed too: a balancer that forgot one forgot them all, and
//! the next attempt must not find that out one by one.
//!
//! A host that answers over HTTP/2 that it wants HTTP/1.1 (RFC 9113, 7: `HTTP_1_1_REQUIRED`) did not
//! process the request, and gets HTTP/1.1 from then on.
//!
//! [`PoolHandle`](super::pool::PoolHandle) reads the figures and opens connections ahead of the first
//! call.
//!
//! # Runtimes
//!
//! A connection is driven by the runtime in which it was made. Runtimes that end take theirs along, and
//! their places come free. But a runtime that rests (a current-thread one between two `block_on`) drives
//! nothing, and a call from another that takes one of its connections waits in vain until a limit passes.
//! Where several such runtimes make calls, each needs an integration of its own.
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
//! [`Phase::Acquire`](crate::terms::Phase::Acquire).
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

mod body;
mod config;
mod connect;
#[cfg(feature = "decompression")]
mod decoding;
#[cfg(not(feature = "decompression"))]
#[path = "undecoded.rs"]
mod decoding;
mod establish;
mod exchange;
mod head_check;
mod heads;
mod http1_io;
#[cfg(feature = "decompression")]
mod last_byte;
mod pool;
mod protocols;
#[cfg(not(feature = "proxy"))]
#[path = "direct.rs"]
mod proxy;
#[cfg(feature = "proxy")]
mod proxy;
#[cfg(feature = "redirect")]
mod redirect;
mod request;
mod resolve;
mod service;
mod tcp;
#[cfg(not(feature = "rustls"))]
#[path = "plain.rs"]
mod tls;
#[cfg(feature = "rustls")]
mod tls;
mod watched_io;
mod windows;

pub use body::ResponseBody;
pub use config::HyperConfig;
pub use pool::Hold;
pub use resolve::{Resolve, Resolved};
pub use service::{HyperTransport, ResponseFuture};
