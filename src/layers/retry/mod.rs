//! Sends a failed request again, if that is safe.
//!
//! Repeating a request helps when the failure is brief, and harms in two ways. It can do something
//! twice, and it can turn a provider's bad minute into an outage by multiplying its load. So five
//! questions are asked after every failed attempt, and the first "no" is final:
//!
//! 1. **Could another attempt be better?** Timeouts, broken connections, 5xx but 501 and 505, 408,
//!    409 under a key that counts (but not where all attempts were answered by the same one), 421, 425
//!    (once), 429: yes. Other 4xx, redirects that were not followed or that form a loop, certificates
//!    that were not accepted, local rejections: no.
//!    What the provider [says itself](FailedAttempt::provider_says), by `Stripe-Should-Retry`,
//!    `x-should-retry`, `Transient-Error`, `grpc-retry-pushback-ms` and the like, comes first. A [`RetryPolicy`] may decide
//!    otherwise, by the result, the method and the headers of both.
//! 2. **Is it safe?** Idempotent methods (RFC 9110, 9.2.2), calls with an
//!    [idempotency key that counts](crate::idempotency), and attempts that provably did not act: the
//!    connection was refused, HTTP/2 refused the stream, 421, 425. A key that was generated here
//!    counts only if the provider is known to honour it: otherwise a POST is sent once. The client
//!    must be known to send one request for each call, as the own client does;
//!    [others](crate::transport#what-proves-that-nothing-was-sent) must be declared.
//! 3. **Can it be sent again?** Its body is recorded while it is first sent, up to a cap.
//! 4. **Is there time?** A wait that would pass the deadline is not begun: the last result is
//!    returned at once, while it is still useful.
//! 5. **Is there [budget](RetryBudget)?** At most a share of all calls may be retries, over the whole
//!    integration. With 20 %, a provider that fails every request gets 1.2 times its usual load; with
//!    three attempts and no budget, three times.
//!
//! Between attempts it waits by a [`Backoff`](crate::backoff::Backoff), or as long as `Retry-After`
//! says, with jitter upwards so that clients with the same `Retry-After` don't come back at once.
//! Meanwhile the failed answer's body is read to its end, so that its connection can be reused.
//!
//! The result of the last attempt is returned unchanged. An error's
//! [`delivery`](crate::Error::delivery) is the worst of all attempts: if the first timed out and the
//! second was refused, the provider may have acted. A response that took more than one attempt, or
//! that was not retried any more, has [`Retries`] in its extensions, with the delivery of the
//! [earlier](Retries::earlier) attempts: a 409 after an attempt without an answer may mean that this
//! attempt was processed.
//!
//! # Another credential
//!
//! A call whose [token](crate::token) was refused is repeated once, at once, whatever its method: a 401 says
//! that nothing was done (RFC 9110, 15.5.2). It counts neither for `max_attempts` nor for the budget. What
//! forbids any repetition forbids this one: [`RetryOverride::Never`], a kill switch, a body that was not kept.
//!
//! # Waiting for budget
//!
//! When the budget is empty, a person's call fails with its last result. A job's call
//! [waits](EmptyBudget::Wait): by its backoff, then in the budget's queue, until it gets a token or its
//! time is up, and it returns its last result, body included. The queue is first come, first served,
//! also for the retries of newer calls and for hedges. Nothing is sent meanwhile, no attempt is spent,
//! and no permit and no connection is held (except by an answer of more than `drain_cap` bytes). A
//! waiting call checks the kill switch each second.
//! [`RetryAwaitsBudget`](crate::event::Event::RetryAwaitsBudget) is emitted once.
//!
//! A `max_attempts` that the budget can never allow is a configuration error: a single call has at most
//! the burst, and the floor of each period that begins within its time.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside [`hedge`](crate::hedge), [`circuit_breaker`](crate::circuit_breaker),
//!   [`rate_limit`](crate::rate_limit), [`bulkhead`](crate::bulkhead) and
//!   [`timeout`](crate::timeout): each attempt passes through them, and between two attempts nothing
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
//! | `max_attempts` | 3, the first included | for jobs, [no limit](RetryLayer::unlimited_attempts) except time |
//! | `backoff` | 100 ms × 2 ≤ 10 s, full jitter | full jitter gives the provider the least load |
//! | `max_elapsed` | none | the deadline is the better limit |
//! | `budget` | 20 % of calls, 10 more in 10 s, 20 at the start | enough for brief failures, harmless in an outage |
//! | `when_budget_is_empty` | [`EmptyBudget::Fail`] | a person is waiting; a job may [wait](EmptyBudget::Wait) |
//! | `retry_after_cap` | 5 min; with a longer one, the answer is returned at once | a call that waits for an hour belongs in a job queue |
//! | `retry_after_spread` | 50 % | upwards only: never earlier than asked |
//! | `body_cap` | 1 MiB | larger bodies are sent once |
//! | `drain_cap` | 64 KiB | reading more costs more than a new connection |
//! | `rejections` | [`Rejections::Fail`] | a person is waiting; a job may [wait](Rejections::Wait) |
//!
//! There is one exception: when the peer closes the connection or refuses the stream, the call's first
//! repetition on another connection costs neither an attempt nor budget. Servers close connections
//! after a number of requests, and such a repetition adds no load. But servers shed load in the same
//! way: after ten of these without an answer to any call in between, each is a failed attempt, and its
//! repetition costs budget.
//!
//! A POST without a key that was on a connection when its peer closed it (`GOAWAY`) is not sent again.
//! The peer names the last stream that it processes, but hyper doesn't expose that.
//!
//! # Errors and events
//!
//! Errors pass unchanged, with [`gave_up`](crate::Error::gave_up). Events:
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
pub use crate::replay::RetryOverride;
#[doc(hidden)]
pub use crate::replay::RetryOverride as Steer;

#[cfg(feature = "serde")]
pub(crate) use settings::RetrySettings;
