//! Keeps to a provider's rate limit, whether it is configured, reported or found out.
//!
//! A limit is set as a number of requests in a time, or not at all. In either case, what the provider
//! reports and refuses counts too, for all callers of the integration.
//!
//! - A refusal (429, 418, 420, and a 400 or 403 with a header that says so) stops all calls for as long
//!   as it asks, not only the one that got it. [`outcome`](crate::outcome) lists the vendors' headers,
//!   and how to add one of your own. A refusal that asks for no time stops all calls for a second, the
//!   next for twice that, and so on up to half a minute.
//! - A 5xx stops no calls, even with a `Retry-After`: it is about the provider's health, which is the
//!   concern of the [breaker](crate::circuit_breaker) and of the call's own [retry](crate::retry).
//! - No call goes before the end of a pause that the provider asked for. `pause_cap` is the longest
//!   pause that calls wait for; in a longer one they are refused at once, with the time that is left of
//!   it. A pause of more than 32 days is taken for a mistake and ignored; any other holds until its end,
//!   or until [`forget`](RateLimitHandle::forget) is called.
//! - When a pause ends, the calls that waited for it are spread over half of its length, but go no slower
//!   than calls went before it, and at least ten a second.
//! - `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, in its newer and older
//!   forms), `X-RateLimit-*` in the spellings that are in use, and Shopify's call limit set the rate.
//!   A window of up to a minute is a rate: calls go 3 % slower than that, so that a late one doesn't
//!   exceed the next window. A longer window is a quota that has to last until its reset: jobs may run
//!   ahead of it by a tenth of the time, people use it as they come. The requests that were sent after
//!   the answered one are subtracted from what is left; an answer that comes after a later request's
//!   counts only if less is left by it. The length of a sliding window of a few seconds can't be found
//!   from resets in Unix time: there jobs use about half of the rate or more.
//! - On a successful answer, "nothing left" is a hint, which a refusal confirms. If the reset is within a
//!   minute, calls wait for it. If it is later, one call tests the hint, a person's at once and a job's
//!   after `pause_cap`, while the others wait for its answer: if it is accepted, such hints are ignored
//!   until an answer reports something else.
//! - With `X-RateLimit-Resource` (GitHub), a limit holds for calls for its resource only. A call's
//!   resource is known by its path's first segment (without `api` and versions), once such a call was
//!   answered.
//! - With nothing left and no reset reported, one call goes as often as the window refills, or once a
//!   second if that isn't known, until more is left.
//! - If a provider refuses and reports no limit, or has another limit beside the reported one (GitHub's
//!   secondary limits), the rate is probed: from the accepted rate up in steps until it refuses, and
//!   back to the accepted rate, which holds for as long as `forget_after` says. A refusal without an
//!   earlier request of ours says nothing about our rate, and after fewer than ten it says too little to
//!   refuse people: it is a pause only.
//! - With `X-RateLimit-Bucket` (Discord), a limit holds for calls for its bucket only, and so does a
//!   refusal, unless it says that it is global. A call's bucket is known by its method and path without
//!   what looks like an id, once such a call was answered; the path's second segment, a channel or a
//!   guild, is counted apart.
//!
//! What is learned lowers a limit that was set, and never raises it. It is forgotten when no answer has
//! reported it for two of its windows (and at least a minute).
//!
//! All calls wait in one queue, for whichever resource or bucket. If a provider has a limit for each
//! tenant, account or endpoint, [`keyed`](RateLimitLayer::keyed) gives each a limit and a queue of its
//! own; if it has one limit for all, each key would have to learn it separately.
//!
//! | [`OnLimit`] | for | calls that come too fast |
//! |---|---|---|
//! | [`Reject`](OnLimit::Reject) | people | go at once while the provider's quota lasts, then wait if their turn comes in time, and are refused at once if it doesn't |
//! | [`Shape`](OnLimit::Shape) | jobs | queue, first come, first served, and go evenly spaced |
//!
//! A turn comes in time if it leaves the time of an attempt until the deadline, or half of the time that
//! there was if that is less. (If calls could wait until their deadlines, then under constant overload
//! all of them would time out at the provider, and none would be answered.)
//!
//! Turns are given to calls and not by readiness, so a ready clone that is dropped takes none. A call
//! that is dropped in the queue leaves no gap. One that isn't polled when it is its turn delays the
//! others for about a second: after that they go before it, until it is polled and back at its place.
//! Retries and hedges need turns of their own.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry) and [`hedge`](crate::hedge), because the provider counts
//!   attempts;
//! - inside [`circuit_breaker`](crate::circuit_breaker), because an open circuit must spend no
//!   quota;
//! - inside [`deadline`](crate::deadline), so that a call is refused whose turn would come too
//!   late. Without a deadline further out, and without `max_wait`, a call may wait for as long as
//!   its caller does;
//! - outside [`bulkhead`](crate::bulkhead), so that a call that waits for its turn holds no permit;
//! - outside [`timeout`](crate::timeout), so that the time in the queue isn't the attempt's.
//!
//! The layer adds no [`Context`](crate::context::Context) of its own to a request. It knows of a
//! deadline, or of a kill switch that was moved meanwhile, only if a layer further out adds one.
//!
//! # When not to use it
//!
//! Against a provider that is slow: the number of requests at a time is bounded by
//! [`bulkhead`](crate::bulkhead), and doesn't depend on how fast answers come.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | requests | none: only the provider's limits count | the number is in the provider's contract |
//! | `burst` | 1 | every provider accepts evenly spaced requests |
//! | `on_limit` | [`OnLimit::Reject`] | a person is waiting |
//! | `queue` | 65,536 | bounds the memory; the deadline bounds the wait |
//! | `in_flight` | none | with it, thousands of jobs wait here in order, and not in the bulkhead's short queue |
//! | `max_wait` | as long as a turn comes in time; 500 ms in [`user_flow`](crate::Integration::user_flow) | a person who is refused at once can be told when to come back |
//! | `learn` | [`Learning::On`] | |
//! | `forget_after` | 10 s for [`OnLimit::Reject`], 5 min for [`OnLimit::Shape`] | refusing a person because of an outdated limit costs more than a refusal; for a job, each try costs a refusal |
//! | `pause_cap` | 10 min | if the wait is longer, the caller should decide |
//! | `account` | none: each instance uses all of the rate | with a fleet (feature `fleet`), all that name the same account share its rate |
//! | `keyed` | one limit for all | what a provider counts by is in its documentation |
//!
//! # Why not governor
//!
//! Its quotas are fixed when a limiter is made, and its waiters race for the next cell. Here the rate
//! changes with every answer, all calls can be stopped, and the first that came goes first.
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::RateLimited`](crate::terms::Rejection::RateLimited), delivery "not sent";
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
//! use http::{Request, Response};
//! use outrigger::rate_limit::{OnLimit, RateLimitLayer};
//! use outrigger::{Body, Error};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = service_fn(|_: Request<Body>| async {
//!     Ok::<_, Error>(Response::new(Body::empty()))
//! });
//! let limit = RateLimitLayer::new(50, Duration::from_secs(1)).on_limit(OnLimit::Shape);
//! let handle = limit.handle();
//! let mut service = ServiceBuilder::new().layer(limit).service(client);
//! assert_eq!(handle.interval(), Some(Duration::from_millis(20)));
//!
//! let began = tokio::time::Instant::now();
//! for _ in 0..3 {
//!     service.ready().await?.call(Request::new(Body::empty())).await?;
//! }
//! // The second and the third waited for their turns.
//! assert!(began.elapsed() >= Duration::from_millis(40));
//! # Ok(()) }
//! ```

mod answer;
mod around;
mod config;
mod gcra;
mod handle;
mod hint;
mod in_flight;
mod keyed;
mod layer;
mod limiter;
mod queue;
mod rate_probe;
mod recent;
mod resources;
mod resume;
mod server_limit;
#[cfg(feature = "serde")]
mod settings;
#[cfg_attr(not(feature = "fleet"), path = "no_share.rs")]
mod share;
#[cfg(feature = "fleet")]
mod shared_limit;
mod stall_guard;
mod state;

pub use around::RateLimitPattern;
#[doc(hidden)]
pub use config::OnLimit as Excess;
pub use config::{Learning, OnLimit, RateLimitConfig};
pub use handle::RateLimitHandle;
pub use keyed::KeyedRateLimits;
pub use layer::{RateLimit, RateLimitLayer};

#[cfg(feature = "serde")]
pub(crate) use settings::RateLimitSettings;
#[cfg(feature = "fleet")]
pub(crate) use {
    config::Quota, share::RateShare, shared_limit::RequestCounts, shared_limit::SharedLimit,
};
