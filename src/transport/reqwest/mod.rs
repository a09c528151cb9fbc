//! Wraps a `reqwest::Client`: requests and responses stay reqwest's.
//!
//! The client keeps its pool, proxies, cookies, redirects and decompression. Switch off its own
//! retries, which are for protocol mishaps only and harmless, if every attempt must be counted.
//! URLs are taken out of its errors, because a query may hold what a log shouldn't.

mod convert;
mod service;

pub use service::ReqwestTransport;

pub(crate) use convert::{to_http, to_reqwest};
