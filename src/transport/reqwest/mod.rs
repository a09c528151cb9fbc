//! Wraps a `reqwest::Client`: requests and responses stay reqwest's.
//!
//! The client keeps its pool, proxies, cookies, redirects and decompression. Build it with
//! `.retry(reqwest::retry::never())`: by itself, it sends a request again that was on an HTTP/2
//! connection when the server ended that (`GOAWAY`), also a POST without a key. The server may have
//! processed it, and no layer here sees the second request. Measured against nginx that ended its
//! connections after every ten requests: 9 of 2,400 POSTs were executed twice.
//!
//! URLs are taken out of its errors, because a query may hold what a log shouldn't.

mod convert;
mod service;

pub use service::ReqwestTransport;

pub(crate) use convert::{to_http, to_reqwest};
