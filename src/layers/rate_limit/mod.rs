//! Keeps to a provider's rate, whether it was told or must be found out.
//!
//! A limit is set as so many requests in so much time, or not at all: what the provider says and
//! refuses counts in either case, for all callers of the integration.
//!
//! - A refusal (429, 418, 420, and a 400 or 403 that says it by a header) stops everybody for as long as
//!   it asks, not only the caller who saw it. In whatever words: [`outcome`](crate::outcome) has the
//!   vendors, and the way to add a header of your own. One that asks for no time stops everybody for a
//!   second, twice that after the next, and so on up to half a minute.
//! - A 5xx stops nobody, whatever it asks: it says how one machine, or the provider, is, and that is a
//!   matter of the [breaker](crate::circuit_breaker) and of the call's own [retry](crate::retry).
//! - Nobody goes before the end of a pause that the provider asked for. `pause_cap` says how long calls
//!   wait for it; in a longer one they are refused at once, and told the provider's figure. Who asks for
//!   longer than a month's quota lasts is taken to have said nothing; any other mistake holds until
//!   it is over, or until somebody calls [`forget`](RateLimitHandle::forget).
//! - When a pause ends, those who waited for it go at a pace: spread over half as long again, but no slower
//!   than calls went before, and ten a second at the least.
//! - `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, in its newer and older
//!   forms), `X-RateLimit-*` in the spellings that are in use, and Shopify's call limit set the pace.
//!   A window of up to a minute is a rate: calls go 3 % slower than that, so that they may arrive a
//!   little late without a window getting one too many. A longer one is a stock that has to last
//!   until its reset: jobs may use a tenth of the time ahead, people all of it. What an answer says is
//!   left is less by the requests that went since; an answer that a later request's has overtaken
//!   counts only if it knows of less. Of windows of a few seconds that slide and are told as Unix
//!   times, the length doesn't show: there jobs use about half of the rate and more.
//! - That nothing is left is a hint on a good answer, and proven by a refusal. A hint of up to a minute is
//!   heeded. Of a longer one, a person's call goes to see at once, a job's after `pause_cap`, while the
//!   others wait for its answer: if that is good, such words aren't heeded until there are others.
//! - `X-RateLimit-Resource` (GitHub) keeps limits of one resource from calls for another: which one a
//!   call is for is known by its path's first segment (but `api` and versions) once a call for it was
//!   answered.
//! - Nothing left, and no word of a reset: one goes as often as the window refills where that is known,
//!   and once a second where it isn't, until there is more.
//! - A provider that refuses and tells nothing is felt out, and so is a limit that it doesn't tell
//!   beside one that it does (GitHub's secondary ones): from what it accepted before, up in steps
//!   until it refuses, and back to what was accepted, which holds for as long as `forget_after` says. A
//!   refusal that follows on no other request of ours says nothing of our rate: it is a pause and no
//!   more.
//! - `X-RateLimit-Bucket` (Discord) keeps limits of one bucket, and refusals of it that aren't of all, from
//!   calls for another. A call's bucket is known by its method and path without what looks like an id,
//!   once such a call was answered; the path's second segment, a channel or a guild, is counted apart.
//!
//! What is learned lowers a limit that was set, and never raises it. It is forgotten when the provider
//! hasn't spoken of it for two of its windows (and at least a minute).
//!
//! All wait in one queue, whichever resource or bucket they ask for. Where a provider limits tenants,
//! accounts or endpoints each for itself, [`keyed`](RateLimitLayer::keyed) gives each a limit and a queue
//! of its own; where it has one limit for all, keys would let each learn it anew.
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
//! - outside [`bulkhead`](crate::bulkhead), so that whoever waits for a turn holds no place;
//! - outside [`timeout`](crate::timeout), so that an attempt's limit doesn't run in the queue.
//!
//! The layer adds no [`Context`](crate::context::Context) of its own to a request. It knows a
//! deadline, or a kill switch that was moved meanwhile, only if a layer further out did so.
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
//! | `max_wait` | as long as a turn comes in time; 500 ms in [`user_flow`](crate::Integration::user_flow) | a person who is refused at once can be told when to come back |
//! | `learn` | [`Learning::On`] | |
//! | `forget_after` | 10 s for [`Excess::Reject`], 5 min for [`Excess::Shape`] | a person refused for a limit that is over is the dearer mistake; a job's every try costs a refusal |
//! | `pause_cap` | 10 min | who has to wait for longer is better told so |
//! | `keyed` | one limit for all | only who knows the provider knows what it counts by |
//!
//! # Why not governor
//!
//! Its quotas are fixed when a limiter is made, and its waiters race for the next cell. Here the pace
//! changes with every answer, everybody can be stopped, and whoever came first goes first.
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
//! use outrigger::rate_limit::{Excess, RateLimitLayer};
//! use outrigger::{Body, Error};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = service_fn(|_: Request<Body>| async {
//!     Ok::<_, Error>(Response::new(Body::empty()))
//! });
//! let limit = RateLimitLayer::new(50, Duration::from_secs(1)).excess(Excess::Shape);
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

mod around;
mod config;
mod flights;
mod handle;
mod heed;
mod hint;
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
#[cfg(feature = "serde")]
mod settings;
mod state;

pub use around::RateLimitPattern;
pub use config::{Excess, Learning, RateLimitConfig};
pub use handle::RateLimitHandle;
pub use keyed::KeyedRateLimits;
pub use layer::{RateLimit, RateLimitLayer};

#[cfg(feature = "serde")]
pub(crate) use settings::RateLimitSettings;
