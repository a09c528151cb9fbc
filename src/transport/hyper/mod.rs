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
//! | [`http1_only`](HyperConfig::http1_only), [`http2_prior_knowledge`](HyperConfig::http2_prior_knowledge) | off | by TLS the host says what it speaks; without TLS it is HTTP/1.1 |
//! | `decompression` (feature `decompression`) | off | sizes and checksums stay those of what was sent |
//! | `max_redirects` (feature `redirect`) | 0 | an API that redirects has moved, and its URL should be corrected |
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
//! # GOAWAY
//!
//! A request that was on an HTTP/2 connection when its
//! peer ended that (`GOAWAY`) may have been processed, also where the peer says that it was not: hyper
//! doesn't tell the last stream that the peer names.
//!
//! # Compressed answers
//!
//! With the feature `decompression` and `decompression()`, on the integration's builder or on
//! [`HyperConfig`], requests ask for gzip, br and zstd, unless they have an `accept-encoding` or a
//! `range` of their own. An answer in one of these codings is decoded while it is read, and
//! `content-encoding` and `content-length` are removed from its head.
//!
//! All other answers pass as they came: to HEAD, with status 204, 206 or 304, in a coding that is not
//! one of the three, or in several codings, one over the other.
//!
//! A body that is no valid gzip, br or zstd, because it is cut off or is something else, is an error
//! by [`Fault::Body`](crate::outcome::Fault::Body) whose delivery is
//! [`Answered`](crate::Delivery::Answered). So is a gzip answer of several members (RFC 1952, 2.2), of
//! which only the first could be read.
//!
//! All limits count decoded bytes, and decoding is no faster than reading: `bytes()` and `text()` stop
//! at 16 MiB, however small the answer was on the wire. A zstd answer's window, which the decoder keeps beside
//! that, may be of 128 MiB, the limit of the C library: tower-http lets nobody set the 8 MiB of RFC 9659. It is filled
//! only as far as the answer is read. Records and metrics show the decoded body. The
//! feature brings a C library (zstd) along, which needs a C compiler to build.
//!
//! # Redirects
//!
//! A 3xx is the answer, unless the feature `redirect` and `follow_redirects()` say otherwise, on the
//! integration's builder or on [`HyperConfig`]. Then at most ten redirects are followed, or as many as
//! `max_redirects` says. Whatever isn't followed is the caller's answer, of the class
//! [`ClientError`](crate::terms::Class::ClientError), which is not tried again.
//!
//! The method is chosen as RFC 9110, 15.4 has it: after 303 it is GET; a POST becomes a GET after 301
//! and 302; all others stay what they are. A request that becomes a GET loses its body. After a 301 or
//! 302, nothing says that the POST was carried out, so a success that answers that GET is a
//! `ClientError` too (see [`Redirected`](crate::outcome::Redirected)); after a 303, it is a success.
//!
//! A request is sent again with its body where that body is in memory and
//! - its method is idempotent (PUT, DELETE), or the caller says that it is safe to repeat
//!   ([`RetryOverride::Safe`](crate::retry::RetryOverride::Safe)), or
//! - its provider honours its idempotency key, and the redirect stays at its origin.
//!
//! So a POST without a key is sent once. (Where a limit on the upload is set, bodies are streams, and
//! are not sent again here.)
//!
//! Another origin, by scheme, host or port, gets `accept`, `accept-charset`, `accept-encoding`,
//! `accept-language`, `cache-control`, `range`, `user-agent` and what describes the body, and nothing of
//! that if it is marked as sensitive. Credentials, cookies, keys, ids, traces, baggage and all headers of
//! your own stay away from it, and they don't come back if it leads back. (A certificate of the
//! client's is shown to every host that asks for one.)
//!
//! With a [base URL](crate::IntegrationBuilder::base_url), a redirect to an origin that isn't allowed is not
//! followed either: no other host is ever asked, whatever a provider answers.
//!
//! A redirect from https to http, to a URI with credentials, to another scheme or to what is no URI is
//! not followed.
//!
//! All redirects of an attempt share its time limits. An error of a later request proves nothing of the
//! first: its delivery is [`Unknown`](crate::Delivery::Unknown).
//!
//! tower-http's `FollowRedirect` reads the status and the location and sends the next request. What may
//! be followed, and what goes along, is decided here: its own policies keep all headers but three, and
//! know nothing of keys.
//!
//! # Beside reqwest
//!
//! | | a reqwest client | the own client |
//! |---|---|---|
//! | compressed answers | with its features `gzip`, `brotli`, `zstd`, `deflate`, by default | with `decompression()`: gzip, br, zstd |
//! | `accept-encoding` | unless the request has one, or a `range` | the same |
//! | a bomb | `bytes()` and `text()` have no limit | 16 MiB, or what `bytes_up_to` says |
//! | redirects | ten by default, then an error | with `follow_redirects()`: ten, then the 3xx |
//! | POST after 301, 302 | GET, which looks like a success | GET, whose success is a `ClientError` |
//! | POST after 307, 308 | sent again if its body can be | only with a key that is honoured, to the same origin |
//! | another origin gets | all but `authorization`, `cookie`, `proxy-authorization` | accepted formats, `user-agent`, the body |
//! | https to http | followed unless `https_only` | not followed |
//! | where the answer came from | `Response::url` | [`Event::Redirected`](crate::event::Event::Redirected) for each redirect |
//! | cookies | with its feature `cookies` | a layer of yours |
//!
//! # Cookies
//!
//! The client keeps none. APIs that want a session get it from a layer around the client; the crate
//! `cookie_store` is a jar that knows the rules (RFC 6265).
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use http::{HeaderValue, Request, Response, header};
//! use outrigger::transport::hyper::{HyperConfig, ResponseBody};
//! use outrigger::{Body, Integration};
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let session: Arc<Mutex<Option<HeaderValue>>> = Arc::default();
//! let kept = session.clone();
//! let client = ServiceBuilder::new()
//!     .map_request(move |mut request: Request<Body>| {
//!         if let Some(cookie) = session.lock().unwrap().clone() {
//!             request.headers_mut().insert(header::COOKIE, cookie);
//!         }
//!         request
//!     })
//!     .map_response(move |response: Response<ResponseBody>| {
//!         if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
//!             // `sid=31d4; Path=/; Secure` is sent back as `sid=31d4`.
//!             let pair = cookie.as_bytes().split(|byte| *byte == b';').next();
//!             *kept.lock().unwrap() = pair.and_then(|pair| HeaderValue::from_bytes(pair).ok());
//!         }
//!         response
//!     })
//!     .service(HyperConfig::new().build()?);
//! let portal = Integration::background("portal").service(client).build()?;
//! # let _ = portal;
//! # Ok(()) }
//! ```
//!
//! Such a layer sees the answer to the last of the redirects that the client follows, and not the
//! cookies that were set on the way: leave redirects off where a login sets them.
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
//! [`ConnectionClosed`](crate::event::Event::ConnectionClosed),
//! [`Redirected`](crate::event::Event::Redirected), and
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
#[cfg(feature = "redirect")]
pub(crate) use redirect::AllowedUris;
pub use resolve::{Resolve, Resolved};
pub use service::{HyperTransport, ResponseFuture};
