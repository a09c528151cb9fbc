//! Wraps a `reqwest::Client`: requests and responses stay reqwest's.
//!
//! The client keeps its pool, proxies, cookies, redirects and decompression. URLs are taken out of its
//! errors, because a query may hold what a log shouldn't.
//!
//! # Redirects
//!
//! A reqwest client follows up to ten redirects unless it was built otherwise, and doesn't tell from
//! which of them an error or an answer comes. So here a request's body goes out once:
//!
//! - A safe request (GET, HEAD, OPTIONS, TRACE, QUERY) without a body follows all redirects.
//! - After a 303, and a POST after a 301 or 302, the client goes on with a GET without a body, which
//!   does nothing. Whatever 2xx that is answered is a
//!   [`ClientError`](crate::terms::Class::ClientError), and stays the caller's to read. (A chain of
//!   redirects that ends at the very URL that was asked can't be seen: a client that sends POSTs had
//!   better follow none.)
//! - Any other redirect of a request that changes something, or has a body, is not followed: the 3xx is
//!   the answer. [`redirect_bodies`](ReqwestTransport::redirect_bodies) lets the client follow 307 and
//!   308.
//! - "Not sent" is said where no connection ever took the first request. After that, whatever comes of
//!   a later one, a POST without a key is not sent again.
//!
//! What is said of an answer names the host that gave it. An error names the host that was asked: reqwest
//! doesn't tell which of a redirect's requests failed.
//!
//! A [base URL](crate::IntegrationBuilder::base_url) binds what is asked for, and not where a redirect leads: to
//! talk to one provider only, build the client with `redirect::Policy::none()`.
//!
//! A redirect carries along to another host whatever headers the request has: `idempotency-key`,
//! `x-request-id`, `traceparent` and those of the caller's own. reqwest takes off `authorization`,
//! `cookie` and `proxy-authorization`. `baggage` isn't sent at all.
//!
//! # Signed requests
//!
//! reqwest sends a URI as the URL standard writes it: without dots in the path, `'` in a query as `%27`. A
//! [signature](crate::sign) covers what was asked for. So a signed request whose URI reqwest would change is
//! refused before it is sent. The error says so.
//!
//! # One request a call
//!
//! None of this is in the way of a client that follows no redirects. Say so, and its errors and a 421
//! prove what those of the crate's own client do:
//!
//! ```
//! use outrigger::{Integration, transport::reqwest::ReqwestTransport};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = reqwest::Client::builder()
//!     .redirect(reqwest::redirect::Policy::none())
//!     .retry(reqwest::retry::never())
//!     .build()?;
//! let shop = Integration::user_flow("shop")
//!     .reqwest(ReqwestTransport::new(client).single_hop())
//!     .build()?;
//! # let _ = shop;
//! # Ok(()) }
//! ```
//!
//! `.retry(reqwest::retry::never())` belongs to it: by itself, reqwest sends bytes again that were on an
//! HTTP/2 connection when the server ended that (`GOAWAY`), also a POST without a key. The server may
//! have processed it, and no layer here sees the second request. Measured against nginx that ended its
//! connections after every ten requests: 9 of 2,400 POSTs were executed twice. A body that goes out once
//! is not sent again so.

mod convert;
mod service;
mod witness;

pub use service::ReqwestTransport;

pub(crate) use convert::{to_http, to_reqwest};
