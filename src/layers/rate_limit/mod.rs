//! Keeps to a provider's rate, whether it was told or must be found out.
//!
//! A limit is set as so many requests in so much time, or not at all: what the provider says and
//! refuses counts in either case, for all callers of the integration.
//!
//! - `Retry-After` on a refusal (429, or 503 and 403 with it), or else the reset of what has nothing
//!   left (a 403 with `X-RateLimit-Remaining: 0`, too), stops everybody until it is over, not
//!   only the caller who saw it. A 429 without it, or with one of no time, stops everybody for a
//!   second, twice that after the next, and so on up to half a minute.
//! - `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, in its newer and older
//!   forms), `X-RateLimit-*` in the spellings that are in use, and Shopify's call limit set the pace.
//!   A window of up to a minute is a rate: calls go 3 % slower than that, so that they may arrive a
//!   little late without a window getting one too many. A longer one is a stock that has to last
//!   until its reset: jobs may use a tenth of the time ahead, people all of it. What an answer says is
//!   left is less by the requests that went since; an answer that a later request's has overtaken
//!   counts only if it knows of less. Of windows of a few seconds that slide and are told as Unix
//!   times, the length doesn't show: there jobs use about half of the rate and more.
//! - `X-RateLimit-Resource` (GitHub) keeps limits of one resource from calls for another: which one a
//!   call is for is known by its path's first segment (but `api` and versions) once a call for it was
//!   answered. All wait in one queue, though: give a resource that is short an integration of its own.
//! - Nothing left, and no word of a reset: one goes as often as the window refills where that is known,
//!   and once a second where it isn't, until there is more.
//! - A provider that refuses and tells nothing is felt out, and so is a limit that it doesn't tell
//!   beside one that it does (GitHub's secondary ones): from what it accepted before, up in steps
//!   until it refuses, and back to what was accepted, which holds for five minutes. A refusal that
//!   follows on no other request of ours says nothing of our rate: it is a pause and no more.
//!
//! What is learned lowers a limit that was set, and never raises it. It is forgotten when the provider
//! hasn't spoken of it for two of its windows (and at least a minute), and after an hour without a
//! refusal where it was felt out.
//!
//! | [`Excess`] | for | calls that come too fast |
//! |---|---|---|
//! | [`Reject`](Excess::Reject) | people | go at once while the provider's quota lasts, then wait if their turn comes in time, and are refused at once if it doesn't |
//! | [`Shape`](Excess::Shape) | jobs | queue, first come, first served, and go evenly spaced |
//!
//! A turn comes in time if it leaves what an attempt may take to the deadline, or half of what there was
//! if that is less. (Where callers waited to their deadlines, and came faster than they may, all of
//! them were cut at the provider, and not one was answered.)
//!
//! Turns are given to calls and not by readiness, so that a readied clone that is dropped takes none.
//! A caller who leaves the queue leaves no gap, and one who stays but isn't polled when it is its turn
//! holds up the others for about a second: after that they go before it, until it is polled, when it
//! is back at its place. Retries and hedges ask for turns of their own.
//!
//! # When not to use it
//!
//! Against a provider that is slow: too much at once is a matter of
//! [`bulkhead`](crate::bulkhead), whose number doesn't depend on how fast answers come.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | requests | none: only the provider's word counts | only the provider's contract knows |
//! | `burst` | 1 | evenly spaced is what no provider minds |
//! | `excess` | [`Excess::Reject`] | a person is better told at once |
//! | `queue` | 65,536 | a bound against endless memory; the deadline is the real one |
//! | `in_flight` | none | jobs that come by the thousand wait here in order, not in the bulkhead's short queue |
//! | `max_wait` | as long as a turn comes in time | |
//! | `learn` | [`Learning::On`] | |
//! | `pause_cap` | 10 min | a wrong header must not stop an integration for good |
//!
//! # Why not governor
//!
//! Its quotas are fixed when a limiter is made, and its waiters race for the next cell. Here the pace
//! changes with every answer, everybody can be stopped, and whoever came first goes first.
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::RateLimited`](crate::outcome::Rejection::RateLimited), delivery "not sent";
//! [`retry_after`](crate::Error::retry_after) says when to come back. Events:
//! [`RateLimitQueued`](crate::event::Event::RateLimitQueued),
//! [`RateLimitRejected`](crate::event::Event::RateLimitRejected),
//! [`RateLimitPaused`](crate::event::Event::RateLimitPaused),
//! [`RateLimitChanged`](crate::event::Event::RateLimitChanged).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::rate_limit::{Excess, RateLimitLayer};
//! use tower::ServiceBuilder;
//! # use outrigger::Body;
//! # let client = tower::service_fn(|_: http::Request<Body>| async {
//! #     Ok::<_, outrigger::Error>(http::Response::new(Body::empty()))
//! # });
//!
//! let limit = RateLimitLayer::new(50, Duration::from_secs(1)).excess(Excess::Shape);
//! let handle = limit.handle();
//! let service = ServiceBuilder::new().layer(limit).service(client);
//! assert_eq!(handle.interval(), Some(Duration::from_millis(20)));
//! # let _ = service;
//! ```

mod config;
mod flights;
mod future;
mod handle;
mod keyed;
mod layer;
mod learned;
mod limiter;
mod pace;
mod queue;
mod recent;
mod resources;
mod resume;
mod roll_call;
mod search;
mod service;
mod state;

pub use config::{Excess, Learning, RateLimitConfig};
pub use future::ResponseFuture;
pub use handle::RateLimitHandle;
pub use keyed::KeyedRateLimits;
pub use layer::RateLimitLayer;
pub use service::RateLimit;

#[cfg(feature = "serde")]
pub(crate) use config::Quota;
