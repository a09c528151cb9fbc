//! Bounded concurrency with a bounded queue.
//!
//! At most so many calls are under way; so many more may wait, first come, first served, each for at
//! most so long. A place is held until the answer's body is read, breaks or is dropped: a provider
//! that streams slowly holds as many connections as one that answers slowly. A full bulkhead refuses
//! without touching the inner service.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry) and [`hedge`](crate::hedge), so that each attempt takes a place
//!   of its own, and a call that waits between two attempts holds none;
//! - inside [`circuit_breaker`](crate::circuit_breaker) and [`rate_limit`](crate::rate_limit), so
//!   that whoever is refused there, or waits for a turn, holds no place;
//! - inside [`deadline`](crate::deadline): the time in the queue is the caller's time. Without a
//!   deadline further out, and without `queue_wait`, a call may wait for as long as its caller
//!   does;
//! - outside [`timeout`](crate::timeout), so that an attempt's limit doesn't run in the queue.
//!
//! The layer adds no [`Context`](crate::context::Context) of its own to a request. It knows a
//! deadline, or a kill switch that was moved meanwhile, only if a layer further out did so.
//!
//! # When not to use it
//!
//! To keep to a provider's quota: concurrency is not a rate.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `queue` | 0 | a person is better told at once than kept waiting; jobs may wait |
//! | `queue_wait` | until what an attempt may take is left to the deadline, or half of the time to it | who waits longer could only be cut at the provider |
//! | `limit` | none | integrations fail apart from each other, until they share what can be full |
//! | [`Limit::reserve`] | 10 %, at least one place of two or more | a person finds a place though jobs hold all that they may |
//! | `adaptive` | none | a limit that stands still is easier to reason about, where somebody knows it |
//! | [`Adaptive::min`] | 1 | to stop altogether is a circuit breaker's work |
//! | [`Adaptive::max`] | 200 | more than most accounts are given; what Netflix's concurrency-limits allows |
//! | [`Adaptive::decrease`] | 90 % | follows a provider down in a few rounds and stays near what it takes |
//! | `classifier` | [`HttpClassifier`](crate::outcome::HttpClassifier) | |
//!
//! # One limit for several
//!
//! Integrations of one provider have one account, one pool and one provider to overload. They are
//! given clones of one [`Limit`], each with a [`Priority`]: high where a person waits, low for jobs.
//!
//! - Of those who wait, high goes first, and within a priority whoever came first.
//! - Low never takes the last places: the reserve is for high alone.
//! - When the queue is full, a high arrival takes the place of the youngest low one in it, which is
//!   refused at once. Where nobody of low priority waits, the arrival is refused.
//!
//! A `background` integration's jobs wait for their turn before the limit, no more of them than there
//! are places come to it, and those take none of its queue's spots: no job is refused because others
//! hold the places.
//!
//! So a flood of jobs keeps no person waiting, while a flood of people can keep the jobs waiting for
//! as long as it lasts: give them a `queue_wait`. The queue is the limit's; how long a call may wait
//! is each bulkhead's own.
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
//! # A limit that finds itself
//!
//! An [`Adaptive`] limit begins with `concurrency` and is moved by what calls show, from their place
//! to their answer's head:
//!
//! | what came of it | what it says |
//! |---|---|
//! | an answer of the classes success, partial or client error | the provider keeps up; it took so long |
//! | throttled (but a 5xx), a timeout other than of the pool's, a call that a limit cut | overload |
//! | any other failure, a 503 too, a caller who went away, a deadline of which queues in here had the larger part | nothing |
//!
//! A limit of which less than half is in use never grows, because nobody knows whether the provider
//! could take more. All overloads among the calls of one round are one: what began before the limit
//! was lowered doesn't lower it again.
//!
//! [`Adaptive::aimd`] adds one place after as many good answers as the limit has places, and leaves
//! 90 % of them on an overload (D.-M. Chiu, R. Jain, *Analysis of the Increase and Decrease
//! Algorithms for Congestion Avoidance in Computer Networks*, 1989). It goes by what the provider
//! refuses, so it needs one that refuses, or an attempt's limit that is near to what an answer takes.
//!
//! [`Adaptive::gradient`] goes by how long answers take, after `Gradient2` of Netflix's
//! concurrency-limits: `limit × clamp(1.5 × long / short, 0.5, 1) + 4`, a fifth of it a second.
//! `short` is the mean of the last second, `long` the average of about ten minutes, drawn down when
//! it is far above the other. It settles where answers take about twice as long as they might.
//! What it can't know is how long they take without any load: begin with a concurrency that the
//! provider surely takes. A load that never lets up, a backlog of jobs, teaches the long average that
//! slow is normal, but not the limit: while answers take over half as long again as the fastest second's
//! did, it rises no higher than four above what was under way when they didn't. Simulated, it stands
//! still through three days of that. What answers take without load is learned anew, within minutes,
//! while less than half of the limit is in use.
//!
//! Neither is a cure for a provider that fails: errors say nothing of how much it can take, and a 503,
//! which often means one machine or one request, would be taken for a sign of overload in vain. With
//! many errors beside the answers, and with answers that are slow for other reasons, a gradient limit
//! refuses calls that would have been answered. Failures are a
//! [circuit breaker](crate::circuit_breaker)'s matter.
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
//! let places = bulkhead.handle();
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
//! assert_eq!((places.in_use(), places.waiting()), (0, 0));
//! # Ok(()) }
//! ```

mod adaptive;
mod around;
mod config;
mod handle;
mod layer;
mod limit;
mod places;
mod queue;
#[cfg(feature = "serde")]
mod settings;
#[cfg(test)]
mod tests;
mod watch;

pub use adaptive::Adaptive;
pub use around::BulkheadPattern;
pub use handle::BulkheadHandle;
pub use layer::{Bulkhead, BulkheadLayer};
pub use limit::{Limit, Priority};

#[cfg(feature = "serde")]
pub(crate) use settings::BulkheadSettings;
