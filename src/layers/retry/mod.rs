//! Tries again: safe first, then persistent.
//!
//! Repeating a request helps when the failure is brief, and harms in two ways. It can do something
//! twice, and it can turn a provider's bad minute into an outage by multiplying its load. So every
//! failed attempt is asked five questions, and the first "no" is final:
//!
//! 1. **Could another attempt be better?** Timeouts, broken connections, 5xx but 501 and 505, 408,
//!    409 under a key that counts (but not where all attempts were answered by the same one), 421, 425
//!    (once), 429: yes. Other 4xx, redirects that nobody followed or that never end, certificates that
//!    were not accepted, local rejections: no.
//!    What the provider [says itself](FailedAttempt::provider_says), by `Stripe-Should-Retry`,
//!    `x-should-retry`, `Transient-Error` and the like, comes first. A [`RetryPolicy`] may decide
//!    otherwise, by the result, the method and the headers of both.
//! 2. **Is it safe?** Idempotent methods (RFC 9110, 9.2.2), calls with an
//!    [idempotency key that counts](crate::idempotency), and attempts that provably did not act: the
//!    connection was refused, HTTP/2 refused the stream, 421, 425. A key that was only made here and
//!    that nobody said the provider honours is none: a POST under it is sent once. Who sends must be
//!    known to send one request a call: the own client is, and
//!    [others](crate::transport#what-proves-that-nothing-was-sent) are told of.
//! 3. **Can it be sent again?** Its body is recorded while it is first sent, up to a cap.
//! 4. **Is there time?** A wait that would pass the deadline is not begun: the last result is
//!    returned now, while it is still of use.
//! 5. **Is there [budget](RetryBudget)?** At most a share of all calls may be retries, over the whole
//!    integration. With 20 %, a provider that fails everything gets 1.2 times its usual load; three
//!    blind attempts give it three times.
//!
//! Between attempts it waits by a [`Backoff`](crate::backoff::Backoff), or as long as `Retry-After`
//! says, spread upwards so that all who were told the same second don't come back in it. Meanwhile
//! the failed answer's body is read to its end, so that its connection can be used again.
//!
//! The result of the last attempt is returned as it was. An error's
//! [`delivery`](crate::Error::delivery) is the worst of all attempts: if the first timed out and the
//! second was refused, it may have happened. A response that took more than one attempt, or was
//! given up on, has [`Retries`] in its extensions, which says what is known of the
//! [earlier](Retries::earlier) attempts: a 409 after a lost one may mean that the lost one was done.
//!
//! # Waiting for budget
//!
//! A person's call whose retry the budget can't pay for fails. A job's [waits](EmptyBudget::Wait): by
//! its backoff, then in line with all who wait for this budget, until a token comes its way or its
//! time is up, when it returns its last result after all, body included. First come, first served, and
//! nobody passes the line, neither a newer call's retry nor a hedge: an old job is never kept waiting
//! by newer ones. Nothing is sent meanwhile, no attempt is spent, no place and no connection is held
//! (but by an answer of more than `drain_cap` bytes). A job looks for a thrown kill switch each
//! second. [`RetryAwaitsBudget`](crate::event::Event::RetryAwaitsBudget) is told once.
//!
//! More attempts than the budget can ever pay for are refused when they are set: a call that is alone
//! has at most what is saved up and the floor of each period that begins within its time.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside [`hedge`](crate::hedge), [`circuit_breaker`](crate::circuit_breaker),
//!   [`rate_limit`](crate::rate_limit), [`bulkhead`](crate::bulkhead) and
//!   [`timeout`](crate::timeout): each attempt passes them anew, and between two attempts nothing
//!   is held. Without a timeout further in, an attempt that hangs is never followed by another one;
//! - inside [`deadline`](crate::deadline), which ends the waits. Without it or `max_elapsed`, a
//!   call ends by `max_attempts` and the budget alone;
//! - inside [`idempotency`](crate::idempotency), so that all attempts have the same key. Without
//!   that layer, only a header `Idempotency-Key` that the caller wrote is taken for a key.
//!
//! The inner service gets requests with a [`ReplayBody`](crate::body::ReplayBody).
//!
//! # When not to use it
//!
//! Inside another retry: attempts multiply. Switch off the client's own.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `max_attempts` | 3, the first included | for jobs, [no limit](RetryLayer::unlimited_attempts): the clock is |
//! | `backoff` | 100 ms × 2 ≤ 10 s, full jitter | full jitter gives the provider the least load |
//! | `max_elapsed` | none | the deadline is the better limit |
//! | `budget` | 20 % of calls, 10 more in 10 s, 20 saved up at the start | enough for blips, harmless in an outage |
//! | `when_budget_is_empty` | [`EmptyBudget::Fail`] | a person waits; a job may [wait](EmptyBudget::Wait) |
//! | `retry_after_cap` | 5 min; a longer one is returned at once, and never cut | a call that waits for an hour is a job for a queue |
//! | `retry_after_spread` | 50 % | upwards only: never sooner than asked |
//! | `body_cap` | 1 MiB | larger bodies are sent, once |
//! | `drain_cap` | 64 KiB | reading more costs more than a new connection |
//! | `rejections` | [`Rejections::Fail`] | a person waits; a job may [wait](Rejections::Wait) |
//!
//! A connection that its peer ends, or a stream that it refuses, is the exception: the first request
//! that moves to another connection for that costs neither an attempt nor budget. Servers end
//! connections after every so many requests, and a repetition there is no more load. But servers shed
//! load in the same way: after ten of them without an answer to anybody in between, each is a failed
//! attempt, and its repetition is paid for.
//!
//! A POST without a key that was on a connection when its peer ended that (`GOAWAY`) is not sent again.
//! The peer names the last stream that it processes, but hyper doesn't tell.
//!
//! # Errors and events
//!
//! Errors pass as they were, with [`gave_up`](crate::Error::gave_up). Events:
//! [`RetryScheduled`](crate::event::Event::RetryScheduled),
//! [`RetryAwaitsBudget`](crate::event::Event::RetryAwaitsBudget),
//! [`RetryGaveUp`](crate::event::Event::RetryGaveUp).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use http::{Request, StatusCode};
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, backoff::Backoff, retry::{Retries, RetryLayer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let flaky = Script::new([Answer::status(502), Answer::status(200)]);
//! let quick = Backoff::exponential(Duration::from_millis(50), Duration::from_millis(500));
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::new().max_attempts(2).backoff(quick))
//!     .service(flaky.clone());
//!
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! assert_eq!((response.status(), flaky.begun()), (StatusCode::OK, 2));
//! assert_eq!(response.extensions().get::<Retries>().map(|retries| retries.attempts), Some(2));
//! # Ok(()) }
//! ```

mod around;
mod config;
#[cfg(feature = "serde")]
mod delays;
mod layer;
mod policy;
mod refusals;
mod run;
#[cfg(feature = "serde")]
mod settings;
mod state;
mod wait;

pub use crate::replay::budget::RetryBudget;
pub use around::RetryPattern;
pub use config::{EmptyBudget, Rejections, RetryConfig};
pub use layer::{Retry, RetryLayer};
pub use policy::{FailedAttempt, RetryPolicy, StandardPolicy};

pub use crate::context::Retries;
pub use crate::replay::Steer;

#[cfg(feature = "serde")]
pub(crate) use settings::RetrySettings;
