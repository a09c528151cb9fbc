//! Events and health as metrics, by OpenTelemetry's names.
//!
//! [`Metrics`] is a subscriber: it counts and measures events. States (an open breaker, the kill
//! switch, places in use) are read from a [`Registry`](crate::control::Registry) when
//! [`observe`](Metrics::observe) is called: before each scrape, or [at an
//! interval](Metrics::observe_every).
//!
//! Metrics go through the facade that the crate `metrics` is ([`Metrics::new`], with the feature
//! `metrics`), or to a meter of OpenTelemetry's own ([`Metrics::metered_by`], with the feature
//! `opentelemetry`).
//!
//! All names, labels and units stand in [`names`], each with what it means; `http.client.*` are those
//! of OpenTelemetry's semantic conventions for HTTP clients, with the integration and the outcome's
//! class added.
//!
//! # How many series
//!
//! No label holds an id, a path or a text from outside. Methods that HTTP doesn't know, an
//! integration's hosts and ports after the first sixteen, its path templates after the first 128 and
//! statuses that are none become `_OTHER`. A path is shown by its
//! [`PathTemplate`](crate::context::PathTemplate) or not at all. Integrations are as many as you name.
//!
//! # When not to use it
//!
//! To find out what happened to one call: use records and traces.
//!
//! # Errors
//!
//! None. Without an exporter, metrics are dropped.
//!
//! # Example
//!
//! Exporters need the buckets of histograms: [`names::SECONDS`] and [`names::ATTEMPTS`] fit.
//!
//! ```
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//! use outrigger::telemetry::metrics::{Metrics, names};
//! use outrigger::{Integration, control::Registry};
//! # use outrigger::testing::{Answer, Script};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // First the exporter, then the metrics: they are described where they go.
//! let attempts = Matcher::Full(names::CALL_ATTEMPTS.name.to_owned());
//! let exporter = PrometheusBuilder::new()
//!     .with_recommended_naming(true)
//!     .set_buckets(&names::SECONDS)?
//!     .set_buckets_for_metric(attempts, &names::ATTEMPTS)?
//!     .install_recorder()?;
//! let metrics = Metrics::new();
//! let registry = Registry::new().subscriber(metrics.clone());
//!
//! let stripe = Integration::user_flow("stripe")
//!     .register(&registry)
//! #   .service(Script::new([Answer::status(200)]))
//!     .build()?;
//! stripe.send(http::Request::get("https://api.stripe.com/v1/balance").body(())?).await?;
//!
//! // At each scrape:
//! metrics.observe(&registry);
//! let page = exporter.render();
//! assert!(page.contains(r#"outrigger_calls_total{outrigger_integration="stripe""#));
//! # Ok(()) }
//! ```

mod bounded;
#[cfg(feature = "metrics")]
mod facade;
mod gauges;
mod labels;
mod observing;
#[cfg(feature = "opentelemetry")]
mod otel;
mod outcome;
mod sink;
mod subscriber;
mod visitor;

pub mod names;

pub use observing::Observing;
pub use subscriber::Metrics;
