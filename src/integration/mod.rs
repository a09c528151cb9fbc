//! One third-party API, with everything that keeps it from hurting.
//!
//! An [`Integration`] is built from a preset and holds the composed stack in the one order. It is
//! cheap to clone, is called by `&self`, and is a `tower::Service` too.
//!
//! | setting | [`user_flow`](Integration::user_flow) | [`background`](Integration::background) | why |
//! |---|---|---|---|
//! | connect | 1 s | 3 s | |
//! | attempt, to the response head | 3 s | 30 s | two attempts must fit a person's wait |
//! | deadline with body | 8 s | 1 h (settable to more) | a job's only limit is the clock |
//! | body idle | 3 s | 20 s | counted only while the caller polls |
//! | attempts | 2 | no limit | no more than one retry while a person waits |
//! | backoff | 50 ms × 2 ≤ 500 ms, full jitter | 1 s × 2 ≤ 60 s, full jitter | |
//! | `Retry-After` | if it fits the deadline, else fail now with the provider's figure | as asked, spread × 1–1.5, or give up if that is past the deadline | a cap never shortens what was asked |
//! | retry budget | 20 % of calls and 10 in 10 s, 20 saved up at the start; empty: fail | 100 % of calls and 10 in 10 s; empty: wait | a retry never multiplies an outage |
//! | POST and PATCH | repeated only with a [key that counts](crate::idempotency) (the caller's own, or the provider is known to honour them) or provably not done | the same; a key is made for each, and counts where the provider is known to honour keys | most providers ignore keys, and do it again |
//! | breaker | ten failures in a row and 2 s without a success; one call each 0.45 s ± 10 % tries, safe ones first; the first success closes | ten in a row; calls are held; one each second tries; after that they go one at a time, twice as many each second | it opens only when nothing answers, so it costs no answers |
//! | rate limit | learned; a turn is waited for 500 ms at most; felt-out limits forgotten after 10 s | learned; in order, evenly spaced; felt-out limits hold for 5 min; a pause over 5 min is waited for outside the queue | shed for people, absorb for jobs |
//! | concurrency | 64, queue 0; where bursts of more come, add `.queue(128).queue_wait(250 ms)` or more places | 16, queue 65,536; jobs beyond the places that there are just then wait for their turn before it | |
//! | pool idle, time to live | 30 s, 5 min ± 20 % | the same | stale keep-alive, DNS moves |
//! | kill switch | on | on | |
//! | fallback, cache, hedge, mirror, token, sign, validate, drift, fault_injection | off | off | decisions that only the business can make |
//!
//! Settings are adjusted slot by slot, a slot is emptied by `without_` and its name
//! ([`without_deadline`](IntegrationBuilder::without_deadline)), and all are checked together:
//! [`IntegrationBuilder::build`] names every mistake at once. With the feature `serde` they can also come from a file, and change while calls
//! run: `IntegrationConfig` and `Integration::apply`.
//!
//! # The one order
//!
//! 1. `correlation`: all that follows carries its id.
//! 2. `observe(call)`: sees what the caller sees.
//! 3. `fallback`: outside all that can fail; a late call gets its fallback too.
//! 4. `deadline`: queues, waits, attempts and body are all the caller's time.
//! 5. `cache`: who waits for another call's fetch waits in the caller's time; outside the kill switch,
//!    because what is stopped may still be answered.
//! 6. `kill_switch`: outside all that sends.
//! 7. `mirror`: inside the switch, so that what is stopped isn't copied; outside retry, because it
//!    compares what a call came to.
//! 8. `idempotency`: outside retry and hedge, so that a call has one key; inside the mirror, so that
//!    a copy has none.
//! 9. `retry`: each attempt passes everything below anew.
//! 10. `hedge`: only first attempts are doubled, out of the retries' budget.
//! 11. `circuit_breaker`: inside retry, because it judges attempts; outside the rate limit, because an
//!     open circuit neither queues nor spends quota.
//! 12. `rate_limit`: who waits for a turn holds no place.
//! 13. `bulkhead`: holds a place for as long as an attempt and its answer's body last.
//! 14. `observe(attempt)`: sees what the provider gets.
//! 15. `timeout`: the attempt's time, without the queue's.
//! 16. `token`: each attempt has a token of its time, and waits for one in its own time.
//! 17. `sign`: after all that changes the request; nothing may after it.
//! 18. `validate`: what a check says of an answer is heard by all that stands above; inside the token,
//!     which hears of a refused credential.
//! 19. `drift`: sees every answer that the provider gives.
//! 20. `idle_timeout`: the body's silence, right above the transport.
//! 21. `fault_injection`: all limits meet its faults as if they were the provider's.
//! 22. the transport.
//!
//! A slot that nobody uses is left out when the stack is composed. Patterns of your own stand
//! around the call, inside 2, or around the attempt, inside 15:
//! [`around_call`](IntegrationBuilder::around_call),
//! [`around_attempt`](IntegrationBuilder::around_attempt).
//!
//! # Composed by hand
//!
//! Every layer also works in a `ServiceBuilder`, alone or with others. Leave out what you don't
//! need, and keep the order; each layer's page says what goes wrong in another one. Neighbours are
//! best put in as one layer, by [`layers`](crate::pattern::layers): together they cost a call little
//! more than one of them.
//!
//! ```
//! use std::time::Duration;
//! use http::{Request, StatusCode};
//! use outrigger::circuit_breaker::CircuitBreakerLayer;
//! use outrigger::rate_limit::RateLimitLayer;
//! use outrigger::pattern::layers;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, deadline::DeadlineLayer, retry::RetryLayer, timeout::TimeoutLayer};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(503), Answer::status(200)]);
//! let service = ServiceBuilder::new()
//!     .layer(layers((
//!         DeadlineLayer::new(Duration::from_secs(8)),
//!         RetryLayer::new().max_attempts(2),
//!         CircuitBreakerLayer::new(),
//!         RateLimitLayer::new(50, Duration::from_secs(1)),
//!         TimeoutLayer::new().attempt(Duration::from_secs(3)),
//!     )))
//!     .service(provider);
//!
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! # Ok(()) }
//! ```
//!
//! - **The facts of a call** reach a layer further in through the [`Context`](crate::context::Context) in
//!   the request's extensions, and in no other way. Every layer puts it there, but for `mirror`, a `fallback`
//!   without an answer and an `observe` that nobody listens to; so may [patterns](crate::pattern) of your
//!   own ([`TELLS`](crate::pattern::Pattern::TELLS)). So a breaker knows that a call still waits in a rate
//!   limit's queue, and what went out is counted behind any of them.
//! - **Layers of other crates** may stand in between, if they leave the request's extensions in place. A
//!   layer that makes a new request ends what its neighbours know of each other.
//! - **The request's body** is changed by `retry` and `hedge`, to a
//!   [`ReplayBody`](crate::body::ReplayBody), and by `timeout`, to a
//!   [`RequestBody`](crate::timeout::RequestBody); `mirror` and `layers` take requests with a
//!   [`Body`](crate::Body).
//! - **The inner service** must be `Clone`; each attempt is sent by an instance that was polled
//!   ready for it. Where it doesn't fit, the compiler may say no more than that `ready` or `oneshot` is missing:
//!   it says why if the body is named, `ServiceExt::<Request<Body>>::ready(&mut service)`. The answer's body is an [`Answer`](crate::pattern::Answer), whichever layer is
//!   outermost.

mod adapt;
mod adjust;
#[cfg(feature = "aws")]
mod aws;
mod background;
mod bottom;
mod box_stack;
mod builder;
mod call;
mod check;
#[cfg(not(feature = "hyper"))]
#[path = "no_client.rs"]
mod client;
#[cfg(feature = "hyper")]
#[path = "hyper_client.rs"]
mod client;
mod controls;
mod copies;
mod credentials;
#[cfg(feature = "json")]
mod graphql;
pub mod grpc;
mod handle;
mod health;
#[cfg(feature = "outbox")]
mod jobs;
mod layers;
mod merged;
mod pins;
mod preset;
mod reload;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "serde")]
mod settings;
#[cfg(not(feature = "serde"))]
#[path = "no_settings.rs"]
mod settings;
mod slots;
mod source;
mod stack;
mod target;
mod token_health;
mod tower;
mod user_flow;
mod users;

pub use adjust::Adjust;
#[cfg(feature = "aws")]
pub use aws::AwsClient;
pub use builder::IntegrationBuilder;
pub use call::Call;
pub use check::CheckError;
pub use client::OwnClient;
pub use handle::Integration;
#[cfg(feature = "outbox")]
pub(crate) use jobs::Places;
pub use pins::Pin;
pub use preset::Preset;
pub use request::{CallOptions, RequestBuilder, ResponseExt};
#[cfg(feature = "reqwest")]
pub use reqwest::ReqwestClient;
#[cfg(feature = "serde")]
pub use settings::IntegrationConfig;
pub use slots::AnyPlacement;
pub use source::{Service, Source};
pub use tower::AnyBodyService;

/// The body types of an integration.
pub(crate) type IntegrationWire =
    crate::pattern::LayerWire<crate::pattern::Own, crate::Body, bytes::Bytes>;
