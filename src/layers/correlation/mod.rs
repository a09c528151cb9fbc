//! Sends an id with every attempt, which connects the call to what caused it.
//!
//! The id is the first of: a [`CorrelationId`](crate::context::CorrelationId) in the request's
//! extensions, the request's own header, the current [`Scope`](crate::context::Scope)'s, the call's
//! own id. It is put into the call's context, and so on every event and error.
//!
//! # Traces
//!
//! A call that belongs to a trace (W3C Trace Context) propagates `traceparent` and `tracestate`: the
//! trace's id and flags stay, and each attempt gets a span id of its own, so that two attempts are
//! two spans. The trace is the first of: a [`TraceContext`](crate::context::TraceContext) in the
//! request's extensions, the request's own `traceparent`, the current scope's, and what
//! [`current_trace`](CorrelationLayer::current_trace) returns. In a server, [`InboundLayer`] (or
//! [`Scope::inbound`](crate::context::Scope::inbound), by one call in a handler) opens the scope.
//!
//! # What isn't trusted
//!
//! Ids from outside are not trusted: a header that is too long or holds what an id doesn't is
//! replaced. A `traceparent` that is invalid, or that comes twice, is removed with its `tracestate`.
//! `baggage` (W3C Baggage) is removed, except for the hosts that are allowed to see it, because it
//! often holds internal data. It is never sent through a [reqwest client](crate::transport::reqwest)
//! that may follow redirects to other hosts.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside every other layer: all that they send, and every event and error of theirs, carries
//!   the id;
//! - inside the [`InboundLayer`] of a server, or in a [`Scope`](crate::context::Scope): there it
//!   finds the id of the request that is being served.
//!
//! # When not to use it
//!
//! If the provider gives another meaning to the header; choose another header then.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `header` | `x-request-id` | the one that is logged most widely |
//! | `baggage_to` | no host | it was not written for third parties |
//! | traces | continued, not begun | a trace that is recorded nowhere here is of no use |
//!
//! # Events
//!
//! [`CorrelationReplaced`](crate::event::Event::CorrelationReplaced).
//!
//! # Example
//!
//! ```
//! use outrigger::{Body, context::{CorrelationId, Scope}, correlation::CorrelationLayer};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let echo = service_fn(|request: http::Request<Body>| async move {
//!     let sent = request.headers()["x-correlation-id"].clone();
//!     Ok::<_, outrigger::Error>(http::Response::builder().header("seen", sent).body(Body::empty()).unwrap())
//! });
//! let mut service = ServiceBuilder::new()
//!     .layer(CorrelationLayer::new().header(http::HeaderName::from_static("x-correlation-id")))
//!     .service(echo);
//!
//! let call = async { service.ready().await?.call(http::Request::new(Body::empty())).await };
//! let response = Scope::new().correlation_id(CorrelationId::new("order-1042")?).run(call).await?;
//! assert_eq!(response.headers()["seen"], "order-1042");
//! # Ok(()) }
//! ```

mod around;
mod baggage;
mod inbound;
mod layer;
#[cfg(feature = "serde")]
mod settings;

pub use around::CorrelationPattern;
pub use inbound::{Inbound, InboundFuture, InboundLayer};
pub use layer::{Correlation, CorrelationLayer};

#[cfg(feature = "serde")]
pub(crate) use settings::CorrelationSettings;
