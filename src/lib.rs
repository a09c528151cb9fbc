//! Tower layers that keep a service upright while the third-party HTTP APIs it calls misbehave.
//!
//! They go down for seconds or hours, answer slowly, rate-limit, lose a request or take it twice.
//! outrigger wraps the client that is there already (hyper, reqwest, any [`tower::Service`] over
//! [`http`]) and gives each third party, an [`Integration`], a stack of its own:
//!
//! ```text
//!   your code
//!       │  http::Request                                     http::Response, or one Error
//!       ▼                                                                    ▲
//!   correlation ─── one id, sent on every attempt                            │
//!   observe ─────── what the caller sees, as events                          │
//!   fallback ────── an answer of yours where the provider has none           │
//!   deadline ────── one limit in clock time: queues, waits, attempts, body   │
//!   cache ───────── an answer that is stored, fresh or instead of an error   │
//!   kill_switch ─── people stop it while it runs                             │
//!   mirror ──────── a share of the calls, copied to another API              │
//!   idempotency ─── one key a call, the same on every attempt                │
//!   retry ───────── only what is safe, with jitter, within a budget          │
//!   hedge ───────── a second request beside one that is slow                 │
//!   circuit_breaker stops asking a provider that is down                     │
//!   rate_limit ──── the provider's rate, told or found out                   │
//!   bulkhead ────── bounded concurrency, to the end of the body              │
//!   observe ─────── what the provider gets, as events                        │
//!   timeout ─────── one attempt: head, upload                                │
//!   token ───────── a token on each attempt, renewed before it ends          │
//!   sign ────────── a signature on each attempt, over all that it has         │
//!   validate ────── an answer that says 200 and isn't what was asked for     │
//!   drift ───────── what answers show of a change of the provider's API      │
//!   idle_timeout ── a body that falls silent                                 │
//!   fault_injection injected faults, to test all of the above                │
//!       ▼                                                                    │
//!   transport ───── hyper, reqwest or a service of yours ────────────────────┘
//! ```
//!
//! The order is right by construction, and a preset fills the slots with values:
//! [`Integration::user_flow`] where a person waits (seconds in all, at most one retry, a breaker),
//! [`Integration::background`] where nobody does (clock time, many retries). Neither repeats a POST that
//! may have happened, unless its [idempotency key counts](idempotency).
//!
//! # Five minutes
//!
//! Once, when the service starts; an [`Integration`] is cheap to clone and is called by `&self`:
//!
//! ```no_run
//! use outrigger::Integration;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let stripe = Integration::user_flow("stripe").build()?;
//!
//! let request = http::Request::get("https://api.stripe.com/v1/balance").body(())?;
//! let response = stripe.send(request).await?;
//! println!("{}: {}", response.status(), response.into_body().text().await?);
//! # Ok(()) }
//! ```
//!
//! A response of any status is an answer. An [`Error`] means that there is none, and answers the
//! question that decides what to do next, whether it may have happened all the same:
//!
//! ```no_run
//! use outrigger::{Delivery, IdempotencyKey, Integration};
//!
//! async fn charge(stripe: &Integration) -> Result<(), http::Error> {
//!     let mut request = http::Request::post("https://api.stripe.com/v1/charges").body("amount=1000")?;
//!     // With a key of yours, a POST may be sent again: you know that this provider takes it once.
//!     let key = IdempotencyKey::from_business_key("order 1042, first charge");
//!     request.extensions_mut().insert(key);
//!
//!     match stripe.send(request).await {
//!         Ok(response) => println!("answered: {}", response.status()),
//!         Err(error) if error.delivery() == Delivery::NotSent => println!("never happened: {error}"),
//!         Err(error) => println!("ask stripe about {:?}: {error}", error.idempotency_key()),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The client that a team has already, with its pool, proxies and cookies, keeps its own types:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use outrigger::Integration;
//!
//! let client = reqwest::Client::builder().retry(reqwest::retry::never()).build()?;
//! let crm = Integration::background("crm").reqwest(client.clone()).build()?;
//! let response = crm.execute(client.get("https://crm.example/contacts/7").build()?).await?;
//! println!("{}", response.text().await?);
//! # Ok(()) }
//! ```
//!
//! Settings are adjusted slot by slot. `build` checks them together and names every mistake at once:
//!
//! ```
//! use std::time::Duration;
//! use outrigger::Integration;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//!
//! let refused = Integration::user_flow("stripe")
//!     .deadline(Duration::from_secs(2))
//!     .retry(|retry| retry.max_attempts(0))
//!     .service(Script::new([Answer::status(200)])) // in place of a client
//!     .build()
//!     .unwrap_err();
//! assert_eq!(refused.errors().len(), 2);
//! println!("{refused}");
//! ```
//!
//! # While it runs
//!
//! An integration will fail; what happens then is decided by people, while the service runs:
//!
//! ```
//! use std::time::Duration;
//! use http::Response;
//! use outrigger::event::SwitchMode;
//! use outrigger::fallback::FallbackLayer;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, Integration, control::Registry};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let rates = Integration::user_flow("rates")
//!     .fallback(FallbackLayer::value(Response::new(r#"{"EUR":1.0}"#)))
//!     .rate_limit(|limit| limit.requests(100, Duration::from_secs(60)))
//!     .register(&registry)
//!     .service(Script::new([Answer::status(500)])) // in place of a client
//!     .build()?;
//!
//! // By a handle, a watched file (`kill_switch::SwitchFile`) or a source of your own:
//! rates.kill_switch().set(SwitchMode::FallbackOnly, "ada", "the provider is being moved");
//! let request = http::Request::get("https://rates.example/latest").body(Body::empty())?;
//! assert_eq!(rates.send(request).await?.into_body().text().await?, r#"{"EUR":1.0}"#);
//! println!("{:?}", registry.health());
//! # Ok(()) }
//! ```
//!
//! # Functions of yours
//!
//! A classifier, a policy, a recorder, a subscriber, a sink, a redactor, a source, a resolver or any other
//! function that you give may panic: the call goes on with a safe default, which each page names, and
//! nothing stays held. Feature `tracing` tells it at error level, with the function's name. Your request's
//! body and the service at the bottom belong to the call: a panic there takes the call along, and so does one
//! that [writes a key](idempotency::WriteKey). Functions that are called during a call must not block.
//!
//! # Where to read on
//!
//! - [`integration`]: the presets' values and the one order, each with its reason; layers by hand.
//! - The layers, each usable alone in a `ServiceBuilder`: [`correlation`], [`observe`], [`fallback`],
//!   [`deadline`], [`kill_switch`], [`mirror`], [`idempotency`], [`retry`], [`hedge`],
//!   [`circuit_breaker`], [`rate_limit`], [`bulkhead`], [`timeout`], [`token`], [`sign`], [`drift`],
//!   [`idle_timeout`], [`fault_injection`].
//! - [`pattern`]: what every layer is, straight-line code around a call, and how to write one.
//! - What they share: [`Error`], [`outcome`] (what a result means), [`context`] (the facts that ride
//!   with a call), [`event`] (what happened), [`backoff`], [`body`], [`rt`] (time and chance).
//! - [`runbook`]: which alert means what, what to do, how to find one order.
//! - `outbox` (feature `outbox`): a durable queue of calls that must happen.
//! - `inbox` (feature `inbox`): webhooks, verified, recorded once in the outbox's store, handled once.
//! - `console` (feature `console`): a page for people over the registry and the outbox.
//! - `fleet` (feature `fleet`): one switch, one set of settings and one account's rate for all instances, over PostgreSQL.
//! - [`local_copy`]: a copy that is kept here of what a provider has, and served while it is down.
//! - [`control`]: the registry of all integrations, their health and their controls.
//! - [`transport`]: the bottom of the stack, with the own client's pool and rotating clients.
//! - [`telemetry`]: subscribers; spans (feature `tracing`), metrics (`metrics`, `opentelemetry`), a
//!   record of every attempt (`audit`).
//! - [`redact`]: what is shown of requests, answers and errors.
//! - `testing` (feature `test-util`): scripted providers for tests, in paused time.
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `hyper` | by `rustls` | a hyper-util client of the integration's own |
//! | `rustls` | yes | TLS and HTTP/2 by ALPN for it, Mozilla's roots, ring |
//! | `proxy` | no | proxies for it, from the environment or set |
//! | `decompression` | no | gzip, br and zstd of answers for it |
//! | `redirect` | no | redirects for it |
//! | `reqwest` | no | wraps a `reqwest::Client` |
//! | `json` | no | bodies and answers as JSON: `.json(..)`; the shapes of answers that [`drift`] learns |
//! | `form`, `query` | no | bodies as forms, queries from a struct or a map |
//! | `aws` | no | an integration as the HTTP client of AWS SDKs |
//! | `json-schema` | no | checks by JSON Schema and OpenAPI for the layer [`validate`] |
//! | `oauth` | no | OAuth 2 for the layer [`token`]: client credentials, refresh tokens |
//! | `sign` | no | HMAC and HTTP Message Signatures (RFC 9421) for the layer [`sign`] |
//! | `serde` | no | settings from TOML or JSON that change while calls run, health as data, a file of what fallbacks answered |
//! | `metrics` | no | events and health as metrics, through the `metrics` facade |
//! | `opentelemetry` | no | the same metrics, by an OpenTelemetry meter |
//! | `tracing` | yes | spans of calls and attempts by OpenTelemetry's conventions |
//! | `audit` | no | a record of every attempt, redacted, as JSON |
//! | `outbox` | no | a durable queue of calls, with a store in memory |
//! | `sqlite` | no | the outbox's store in one SQLite file |
//! | `inbox` | no | webhooks of Standard Webhooks, Stripe, GitHub, Shopify, Slack and your own, over the outbox |
//! | `console` | no | a page for people: how integrations are, controls, dead letters, one order's calls and messages |
//! | `fleet` | no | one switch, one set of settings and one account's rate for all instances of a service, over PostgreSQL |
//! | `test-util` | no | scripted providers, a readiness probe, an event recorder |
//!
//! Without features there are the layers and any service of yours. Features add dependencies and
//! never change behaviour.
//!
//! [`tower::Service`]: tower_service::Service

// One stack is one future, nested as deep as there are slots.
#![recursion_limit = "512"]
#![warn(clippy::unwrap_used)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "serde"),
    expect(dead_code, reason = "only settings from elsewhere change what runs")
)]

// Each module imports only from those above it.

// All that is not deterministic, and files.
pub mod rt;

// The plain enums that all others speak in.
mod terms;

// How long answers may be used.
mod freshness;

// How settings are read and checked.
mod settings;

// How long to wait between attempts.
pub mod backoff;

// What is shown of requests and answers.
pub mod redact;

// The facts of one call.
pub mod context;

// What a result means, and the one error.
pub mod outcome;

// Bodies of requests and answers.
pub mod body;

// What it takes to send a request again.
mod replay;

// What happened, and who is told.
pub mod event;

// What a pattern is made of.
pub mod pattern;

// How integrations are seen and controlled.
pub mod control;

// The patterns, one folder each. None knows another.
mod layers;

// The client at the bottom. It knows no pattern.
pub mod transport;

// Subscribers: spans, metrics, records.
pub mod telemetry;

// The one order of the patterns around a client.
pub mod integration;

// Copies that are kept here of what a provider has.
pub mod local_copy;

// A durable queue of calls.
#[cfg(feature = "outbox")]
pub mod outbox;

// Webhooks, verified, recorded and handled once.
#[cfg(feature = "inbox")]
pub mod inbox;

// What all instances of a service obey.
#[cfg(feature = "fleet")]
pub mod fleet;

#[cfg(feature = "console")]
pub mod console;

// Providers for tests.
#[cfg(feature = "test-util")]
pub mod testing;

// Pages without code.
#[doc = include_str!("runbook.md")]
pub mod runbook {}

#[doc = include_str!("guide/mod.md")]
pub mod guide {
    #[doc = include_str!("guide/choosing.md")]
    pub mod choosing {}

    #[doc = include_str!("guide/first_week.md")]
    pub mod first_week {}

    #[doc = include_str!("guide/worst_day.md")]
    pub mod worst_day {}

    #[doc = include_str!("guide/contracts.md")]
    pub mod contracts {}

    #[doc = include_str!("guide/from_reqwest.md")]
    pub mod from_reqwest {}

    #[doc = include_str!("guide/from_reqwest_middleware.md")]
    pub mod from_reqwest_middleware {}

    #[doc = include_str!("guide/from_tower.md")]
    pub mod from_tower {}

    #[cfg(feature = "inbox")]
    #[doc = include_str!("guide/keeping_two_systems_the_same.md")]
    pub mod keeping_two_systems_the_same {}

    #[doc = include_str!("guide/signatures.md")]
    pub mod signatures {}

    #[doc = include_str!("guide/through_an_sdk.md")]
    pub mod through_an_sdk {}
}

pub use body::Body;
pub use context::IdempotencyKey;
#[cfg(feature = "serde")]
pub use integration::IntegrationConfig;
pub use integration::grpc;
pub use integration::{CallOptions, Integration, IntegrationBuilder, RequestBuilder, ResponseExt};
#[doc(hidden)]
pub use layers::fault_injection as rehearsal;
pub use layers::{
    bulkhead, cache, circuit_breaker, correlation, deadline, drift, fallback, fault_injection,
    hedge, idempotency, idle_timeout, kill_switch, mirror, observe, rate_limit, retry, sign,
    timeout, token, validate,
};
pub use outcome::error::{BoxError, Error, ErrorKind};
#[doc(hidden)]
pub use settings::ValidationError as Mistake;
pub use settings::{ConfigError, Ratio, ValidationError};
pub use terms::Delivery;

/// The README's examples are tested with the crate's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
