//! Sends a second request if the first is slow; the first good answer wins.
//!
//! Most providers answer quickly most of the time, and now and then one answer takes a hundred times
//! as long: a busy machine, a lost packet. The same request, sent again to the same provider, is
//! then answered sooner than the first. So a call that has waited for longer than most others do gets
//! a second request (J. Dean, L. A. Barroso, *The Tail at Scale*, Communications of the ACM 56/2,
//! 2013): few more requests, and a tail latency that is many times shorter.
//!
//! - Only calls that may run twice at once: safe methods (GET, HEAD, OPTIONS, TRACE; RFC 9110,
//!   9.2.1), calls with an [idempotency key that counts](crate::idempotency) (both requests have the
//!   same one), and those that [`RetryOverride::Safe`](crate::retry::RetryOverride) says it of. Not PUT and DELETE by themselves: the request
//!   that loses may be carried out after the caller's next one.
//! - Only first attempts, whose body was sent; under [`RetryOverride::Once`](crate::retry::RetryOverride), the other
//!   attempt is the retry layer's, where there is one.
//! - After a quantile of what first requests have taken in the last minute or two, or a fixed delay.
//! - Within a budget; in an integration, that of the retries. When the whole provider is slow, the
//!   budget is soon spent, and the quantile rises until no more second requests are sent.
//! - Never for a probe of a [`circuit_breaker`](crate::circuit_breaker), and never while it is open.
//! - The first *good* answer wins: a quick 503 doesn't beat a slow 200. To a safe method, a 4xx is as
//!   good as any; to others only a success is, because one request may be refused because of the other
//!   (409 while the key is in use). If neither is good, the first request's result is returned. The
//!   other request is dropped at once, with its permit and its connection.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry), with that layer's [budget](HedgeLayer::budget): only first
//!   attempts are hedged, and both kinds of repetition share one bound;
//! - inside [`idempotency`](crate::idempotency), so that both requests have the same key. Without
//!   that layer, only a header `Idempotency-Key` that the caller wrote is taken for a key;
//! - outside [`circuit_breaker`](crate::circuit_breaker), [`rate_limit`](crate::rate_limit),
//!   [`bulkhead`](crate::bulkhead) and [`timeout`](crate::timeout): the second request needs a
//!   turn, a permit and a time limit of its own.
//!
//! Without a bulkhead further in, the number of requests in flight has no limit. The inner service
//! gets requests with a [`ReplayBody`](crate::body::ReplayBody), of which at most 1 MiB is kept for
//! the second one.
//!
//! # When not to use it
//!
//! If the provider bills by the request, or is slow because it is overloaded.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | quantile | 95 % is usual | at most one call in twenty has a second request |
//! | `at_least` | 1 ms | |
//! | `budget` | 20 % of the calls, ten more in ten seconds, and 20 saved up | |
//! | learned from | at least 100 requests | with fewer, a p95 is not reliable |
//!
//! # Errors and events
//!
//! No error of its own. Events: [`HedgeSent`](crate::event::Event::HedgeSent),
//! [`HedgeSkipped`](crate::event::Event::HedgeSkipped),
//! [`HedgeFinished`](crate::event::Event::HedgeFinished). The second request is numbered as another
//! attempt, and the one that loses ends as [`End::Overtaken`](crate::event::End::Overtaken).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, hedge::HedgeLayer};
//! use http::Request;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::hang(), Answer::status(200)]);
//! let service = ServiceBuilder::new()
//!     .layer(HedgeLayer::after(Duration::from_millis(50)))
//!     .service(provider.clone());
//!
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! assert_eq!((response.status().as_u16(), provider.begun()), (200, 2));
//! # Ok(()) }
//! ```

mod around;
mod handle;
mod latency_quantile;
mod layer;
mod plan;
#[cfg(feature = "serde")]
mod settings;
mod state;

pub use around::HedgePattern;
pub use handle::{HedgeCounts, HedgeHandle};
pub use layer::{Hedge, HedgeLayer};

#[cfg(feature = "serde")]
pub(crate) use settings::HedgeSettings;
