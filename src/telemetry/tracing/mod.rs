//! Spans of calls and attempts, and the other events as `tracing` events.
//!
//! ```no_run
//! use outrigger::telemetry::tracing::Spans;
//! use outrigger::{Integration, control::Registry};
//!
//! # fn main() -> Result<(), outrigger::ConfigError> {
//! let registry = Registry::new().subscriber(Spans::new());
//! let stripe = Integration::user_flow("stripe").register(&registry).build()?;
//! # let _ = stripe;
//! # Ok(()) }
//! ```
//!
//! # Spans
//!
//! A call is a span named `call`, of kind `internal`, inside the span that is current where
//! [`send`](crate::Integration::send) is called (with `send(..).instrument(span)` that is not yet
//! `span`; with `async { send(..).await }.instrument(span)` it is). Each attempt is a span named
//! `attempt` inside it, of kind `client`, by OpenTelemetry's semantic conventions for HTTP clients.
//! A span lasts to the end of the answer's body.
//!
//! | attribute | on | |
//! |---|---|---|
//! | `otel.name` | both | attempts: `{method} {url.template}`, or the method; calls: the integration before it |
//! | `otel.kind` | both | `internal`, `client` |
//! | `otel.status_code` | both | `ERROR` where there is an `error.type` |
//! | `http.request.method` | both | `_OTHER` where it is no standard one, with `http.request.method_original` |
//! | `http.response.status_code` | both | |
//! | `error.type` | both | the status, if the answer failed by it; else a word, such as `attempt_timeout`, `connection_reset`, `circuit_open`; unset where nothing failed, whatever the status, and for cancelled ones |
//! | `server.address`, `server.port`, `url.scheme`, `url.template` | both | the template is the request's [`PathTemplate`](crate::context::PathTemplate) |
//! | `http.request.resend_count` | attempt | from the second on |
//! | `outrigger.integration`, `.call_id`, `.correlation_id` | both | |
//! | `outrigger.trace_id`, `.span_id` | both; attempt | as sent in `traceparent`, where the call belongs to a trace |
//! | `outrigger.attempt`, `.attempts` | attempt; call | |
//! | `outrigger.cache` | call | what a cache did: `hit`, `stale_if_error`, `miss` … |
//! | `outrigger.end` | both | `answered`, `failed`, `abandoned`, `overtaken` (another request won) |
//! | `outrigger.delivery` | both | `not_sent`, `answered`, `unknown` |
//!
//! Never a path, a query, a header's value, a body or a business key.
//!
//! # With OpenTelemetry
//!
//! The span id in an attempt's `traceparent` is made here, and is also in `outrigger.span_id`. A
//! layer that exports these spans (`tracing-opentelemetry`) gives them its own ids. So a provider
//! that continues the trace names a parent that is not exported: its spans are in the right trace,
//! but not below the attempt's span. Find their attempt by `outrigger.span_id`.
//!
//! # Levels
//!
//! Everything has the target `outrigger`. A healthy service writes only spans above `DEBUG`.
//! Nothing is ever an `ERROR`: only the service knows whether a failed call is an error for it.
//!
//! | level | what |
//! |---|---|
//! | `WARN` | a circuit breaker opened; a kill switch moved, or its source failed; a fallback answered, or had no answer; a client can't be replaced; fault injection, and each injected fault; a call that may have changed something at the provider, and no success says so (not for `GET` and other safe methods) |
//! | `INFO` | spans; a circuit breaker closed; other settings |
//! | `DEBUG` | what was repeated, refused, paused, hedged, failed or timed out; rates and places that changed; half-open breakers |
//! | `TRACE` | waits in queues, connections, mirrors, signatures |
//!
//! Without this subscriber nothing is written. With it, and with `tracing_subscriber::fmt()` as it comes, a
//! call that fails and may have been done is one line of less than 200 characters, and other calls none:
//!
//! ```text
//! 2026-11-30T12:00:00.000000Z  WARN outrigger: the provider may have acted outrigger.integration="stripe" error.type="attempt_timeout" outrigger.call_id=0193…
//! ```
//!
//! That line is no part of the call's span, whose attributes would be printed before it: it stands in the
//! span around the call.
//!
//! # Memory
//!
//! Open spans are kept by call, until the call ends in any way: [`Spans::open`] counts them.
//!
//! # When not to use it
//!
//! Where every span is recorded and a call must cost nothing: a span and two attempts take some
//! microseconds and allocate. Filtered out, they cost a lookup.

mod attempt;
mod call;
mod failures;
mod limits;
mod local_copy;
mod open;
mod requests;
mod span_scope;
mod spans;
mod states;
mod target;

pub use spans::Spans;
