//! Bounded concurrency with a bounded queue.
//!
//! A number of calls may be in flight; a number of others may wait in a queue, first come, first served,
//! each for a limited time. A permit is held until the answer's body has been read, has failed or was
//! dropped: a provider that streams slowly uses as many connections as one that answers slowly. A full
//! bulkhead refuses a call without polling the inner service.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry) and [`hedge`](crate::hedge), so that each attempt takes a permit
//!   of its own, and a call that waits between two attempts holds none;
//! - inside [`circuit_breaker`](crate::circuit_breaker) and [`rate_limit`](crate::rate_limit), so
//!   that a call that is refused there, or waits for its turn, holds no permit;
//! - inside [`deadline`](crate::deadline): the time in the queue is the caller's time. Without a
//!   deadline further out, and without `queue_wait`, a call may wait for as long as its caller
//!   does;
//! - outside [`timeout`](crate::timeout), so that the time in the queue isn't the attempt's.
//!
//! The layer adds no [`Context`](crate::context::Context) of its own to a request. It knows of a
//! deadline, or of a kill switch that was moved meanwhile, only if a layer further out adds one.
//!
//! # When not to use it
//!
//! To keep to a provider's quota: concurrency is not a rate.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `queue` | 0 | a person is waiting, so a refusal should come at once; jobs may wait |
//! | `queue_wait` | until an attempt's time is left before the deadline, or half of the time to it | a call that waits longer would time out at the provider |
//! | `limit` | none | integrations should fail independently, unless they share an account or a pool |
//! | [`Limit::reserve`] | 10 %, at least one permit of two or more | a person's call finds a permit while jobs hold all of theirs |
//! | `adaptive` | none | a fixed limit is easier to reason about, if the right one is known |
//! | [`Adaptive::min`] | 1 | stopping all calls is a circuit breaker's task |
//! | [`Adaptive::max`] | 200 | the default of Netflix's concurrency-limits; more than most accounts allow |
//! | [`Adaptive::decrease`] | 90 % | lowers the limit in a few rounds, and stays near what the provider can handle |
//! | `classifier` | [`HttpClassifier`](crate::outcome::HttpClassifier) | |
//!
//! # One limit for several
//!
//! Integrations of one provider share an account, a pool and the provider's capacity. Give them clones
//! of one [`Limit`], each with a [`Priority`]: high if a person is waiting, low for jobs.
//!
//! - Of the waiting calls, high goes first, and within a priority the first that came.
//! - Low never takes the last permits: the reserve is for high only.
//! - When the queue is full, a call of high priority replaces the youngest of low priority, which is
//!   refused at once. If none of low priority waits, the new call is refused.
//! - A background refresh of a [`cache`](crate::cache) is of low priority in every bulkhead.
//!
//! In a `background` integration, jobs wait in the rate limit's queue, which sends no more of them than
//! there are permits. These jobs don't count towards the limit's queue, so no job is refused because
//! others hold the permits.
//!
//! So many jobs at once keep no person waiting, but many people at once can keep the jobs waiting for
//! as long as they come: give the jobs a `queue_wait`. The queue is shared with the limit; how long a
//! call may wait is a setting of each bulkhead.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::Integration;
//! use outrigger::bulkhead::{Limit, Priority};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//!
//! # fn main() -> Result<(), outrigger::ConfigError> {
//! let client = Script::new([Answer::status(200)]);
//! let account = Limit::new(64).queue(128);
//! let people = Integration::user_flow("crm")
//!     .bulkhead(|bulkhead| {
//!         let bulkhead = bulkhead.limit(account.clone(), Priority::High);
//!         bulkhead.queue_wait(Duration::from_secs(1))
//!     })
//!     .service(client.clone())
//!     .build()?;
//! let jobs = Integration::background("crm jobs")
//!     .bulkhead(|bulkhead| bulkhead.limit(account.clone(), Priority::Low))
//!     .service(client)
//!     .build()?;
//! assert_eq!(people.bulkhead().limit(), jobs.bulkhead().limit());
//! # Ok(()) }
//! ```
//!
//! # An adaptive limit
//!
//! An [`Adaptive`] limit begins with `concurrency` and changes with the results and the latency of
//! calls, measured from the permit to the answer's head:
//!
//! | result | meaning |
//! |---|---|
//! | an answer of the classes success, partial or client error | no overload; its latency counts |
//! | throttled (except a 5xx), a timeout (except of the pool), a call that a time limit ended | overload |
//! | any other failure (a 503 too), a dropped call, a deadline that passed mostly in our queues | nothing |
//!
//! A limit of which less than half is in use never grows, because it isn't known whether the provider
//! could handle more. A call that began before the limit was lowered doesn't lower it again.
//!
//! [`Adaptive::aimd`] adds one permit after as many answers as the limit has permits, and keeps 90 % of
//! them on an overload (D.-M. Chiu, R. Jain, *Analysis of the Increase and Decrease Algorithms for
//! Congestion Avoidance in Computer Networks*, 1989). It needs a provider that refuses requests when
//! overloaded, or an attempt's time limit that is near the usual latency.
//!
//! [`Adaptive::gradient`] uses the latency, after `Gradient2` of Netflix's
//! concurrency-limits: `limit × clamp(1.5 × long / short, 0.5, 1) + 4`, a fifth of it a second.
//! `short` is the mean latency of the last second, `long` the average of about ten minutes, which
//! decays when it is more than twice `short`. It settles where answers take about twice as long as
//! without load. It can't know the latency without load at first: begin with a concurrency that the
//! provider handles easily. Under constant load, such as a backlog of jobs, the long average rises
//! slowly, but the limit doesn't follow: while answers take more than 1.5 times as long as those of the
//! fastest second, it rises to at most four above the most calls that were in flight when answers were
//! fast. In a simulation of three days of such load it doesn't move. The latency without load is learned
//! again, within minutes, while less than half of the limit is in use.
//!
//! Neither helps against a provider that fails: errors say nothing about load, and a 503 often concerns
//! one machine or one request only. With many errors between the answers, or with answers that are slow
//! for other reasons, a gradient limit refuses calls that would have been answered. Failures are the
//! [circuit breaker](crate::circuit_breaker)'s concern.
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::Full`](crate::terms::Rejection::Full) or
//! [`Rejection::QueueTimeout`](crate::terms::Rejection::QueueTimeout), delivery "not sent". Events:
//! [`BulkheadQueued`](crate::event::Event::BulkheadQueued),
//! [`BulkheadRejected`](crate::event::Event::BulkheadRejected) and, by whichever bulkhead's call
//! moved the limit, [`ConcurrencyChanged`](crate::event::Event::ConcurrencyChanged).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use http::Request;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, Error, ErrorKind, bulkhead::BulkheadLayer, outcome::Rejection};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bulkhead = BulkheadLayer::new(1).queue(1).queue_wait(Duration::from_secs(5));
//! let permits = bulkhead.handle();
//! let provider = Script::new([Answer::status(200).after(Duration::from_millis(50))]);
//! let service = ServiceBuilder::new().layer(bulkhead).service(provider);
//! let call = async || {
//!     let response = service.clone().oneshot(Request::new(Body::empty())).await?;
//!     Ok::<_, Error>(response.status())
//! };
//!
//! // One is sent, one waits for it to end, and one is refused.
//! let (first, second, third) = tokio::join!(call(), call(), call());
//! assert_eq!((first?.as_u16(), second?.as_u16()), (200, 200));
//! assert_eq!(third.unwrap_err().kind(), ErrorKind::Rejected(Rejection::Full));
//! assert_eq!((permits.in_use(), permits.waiting()), (0, 0));
//! # Ok(()) }
//! ```

mod adaptive;
mod around;
mod config;
mod handle;
mod layer;
mod limit;
mod permits;
mod queue;
mod sample_guard;
#[cfg(feature = "serde")]
mod settings;
#[cfg(test)]
mod tests;

pub use adaptive::Adaptive;
pub use around::BulkheadPattern;
pub use handle::BulkheadHandle;
pub use layer::{Bulkhead, BulkheadLayer};
pub use limit::{Limit, Priority};

#[cfg(feature = "serde")]
pub(crate) use settings::BulkheadSettings;
