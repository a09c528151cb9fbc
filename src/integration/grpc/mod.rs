//! gRPC through an [`Integration`](crate::Integration): its statuses are read, and errors become statuses.
//!
//! gRPC answers 200 whatever happened, and says what in `grpc-status`: in the head, where there is no
//! message, or in the trailers. Every method is a POST, so that none is repeated unless you say which
//! are safe.
//!
//! [`IntegrationBuilder::grpc`](crate::IntegrationBuilder::grpc) teaches an integration both, and
//! [`Integration::grpc`](crate::Integration::grpc) is what a generated client takes in a channel's place:
//!
//! ```
//! use outrigger::Integration;
//! use outrigger::grpc::Grpc;
//! # use outrigger::testing::{Answer, Script};
//!
//! # fn main() -> Result<(), outrigger::ConfigError> {
//! let stock = Integration::user_flow("stock")
//!     .grpc(Grpc::new().safe("/acme.Stock/Get").safe("/acme.Catalog/*"))
//! #   .service(Script::new([Answer::status(200)]))
//!     .build()?;
//! let channel = stock.grpc(); // StockClient::with_origin(channel, "https://stock.acme.example")
//! # let _ = channel;
//! # Ok(()) }
//! ```
//!
//! | `grpc-status` | [class](crate::outcome::Class) |
//! |---|---|
//! | OK | success |
//! | RESOURCE_EXHAUSTED | throttled |
//! | UNAUTHENTICATED | unauthorized |
//! | UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS, and codes that don't exist | server error |
//! | all others | client error |
//!
//! - **`grpc-retry-pushback-ms`** is the wait before the next attempt. Negative or no number, it forbids one.
//! - **A safe method** is one that only reads. It is repeated and hedged like a GET, unless
//!   [`retries`](crate::CallOptions::retries) say less. It must be unary: its answer is held back until its first message or its trailers are here, so that an error in the
//!   trailers is repeated, too.
//! - **An error in the trailers** of any other method has reached the caller already. It counts for the breaker,
//!   and in events and metrics; so does a body that ends without a status.
//! - **Without an answer, or with half of one**, the caller gets a status from here: of status DEADLINE_EXCEEDED after a time limit,
//!   UNAVAILABLE where the connection failed, the breaker is open or the integration is switched
//!   off, RESOURCE_EXHAUSTED at our own limits, INTERNAL for what can't be sent or read, else UNKNOWN. Its
//!   metadata says what a gRPC status can't: `outrigger-delivery` (`not_sent`, `answered`, `unknown`) and
//!   `outrigger-attempts`. A [`Report`](crate::context::Report) says it for several calls.
//! - **An answer that says that it failed** has `outrigger-delivery: unknown` in its metadata, too, if an attempt
//!   before it was lost: then its status may be a consequence. So has one that failed without a status, as a proxy's
//!   answer: it gets the status that a client would make of it. Without that, the status means what it says.
//! - **A [token](crate::token)** that is answered by UNAUTHENTICATED was refused, as by a 401: the call is repeated
//!   once with another one, unless its answer has reached the caller already, as that of an unsafe method with the
//!   status in its trailers; then the next call has the other one.
//! - **An `http://` server** speaks HTTP/2 from the first byte: say
//!   `.hyper(|client| client.http2_prior_knowledge())`.
//! - **Both halves**: an integration that was built without [`grpc`](crate::IntegrationBuilder::grpc) sends, and takes
//!   each 200 for a success.
//! - **Switch off the client's own retries**, and give it no time limit below the integration's: see the page on
//!   [client libraries](crate::guide::through_an_sdk).
//! - **When not**: for long streams. A limit over the whole call ends them; build them an integration of their own,
//!   [`without_deadline`](crate::IntegrationBuilder::without_deadline).
//!
//! Sources: the gRPC protocol over HTTP/2 and its list of status codes (grpc/grpc, `doc/PROTOCOL-HTTP2.md`,
//! `doc/statuscodes.md`); retry pushback: gRPC proposal A6.

mod pattern;
mod service;
mod status;

use std::sync::Arc;

use http::Request;

pub use service::{GrpcBody, GrpcCall, GrpcService};
pub use status::GrpcClassifier;

use super::builder::IntegrationBuilder;
use crate::replay::OnlyReads;
use pattern::{HoldSafe, MarkSafe, ReadTrailers};
use status::is_unauthenticated;

/// What an integration has to know of a gRPC service. See the [module](self).
#[derive(Clone, Debug, Default)]
#[must_use = "it has no effect until a builder gets it"]
pub struct Grpc {
    safe: Vec<String>,
}

/// The safe methods.
#[derive(Clone, Debug)]
struct SafeMethods(Arc<[String]>);

impl Grpc {
    /// No method is safe.
    pub fn new() -> Self {
        Self::default()
    }

    /// A unary method that only reads, by its path: `/package.Service/Method`, or all methods of a service:
    /// `/package.Service/*`.
    pub fn safe(mut self, path: impl Into<String>) -> Self {
        self.safe.push(path.into());
        self
    }
}

impl SafeMethods {
    /// Whether a request's path, of which the last two segments count, is one of them.
    fn hold(&self, path: &str) -> bool {
        let mut segments = path.rsplit('/');
        let (method, service) = (segments.next(), segments.next());
        self.0.iter().any(|safe| {
            let mut safe = safe.rsplit('/');
            let (safe_method, safe_service) = (safe.next(), safe.next());
            service == safe_service && (safe_method == Some("*") || safe_method == method)
        })
    }

    fn mark<B>(&self, request: &mut Request<B>) {
        if self.hold(request.uri().path()) {
            request.extensions_mut().insert(OnlyReads);
        }
    }
}

impl<C> IntegrationBuilder<C> {
    /// Reads gRPC's statuses, in answers' heads and trailers, and repeats the methods that are safe. It takes the
    /// [`classifier`](Self::classifier)'s place.
    ///
    /// See [`grpc`](crate::grpc).
    pub fn grpc(mut self, grpc: Grpc) -> Self {
        for path in grpc.safe.iter().filter(|path| !is_method(path)) {
            let problem = format!(
                "{path:?} is no path of a method: give /package.Service/Method or /package.Service/*"
            );
            self.endpoint.refuse("grpc.safe", &problem);
        }
        let safe = SafeMethods(grpc.safe.into());
        self.classifier(GrpcClassifier::new())
            .set(|slots| slots.token = slots.token.clone().refused_by_status(is_unauthenticated))
            .around_call(MarkSafe(safe.clone()))
            .around_attempt(HoldSafe(safe))
            .around_attempt(ReadTrailers)
    }
}

/// Whether it is `/package.Service/Method` or `/package.Service/*`.
fn is_method(path: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '*']);
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    parts.is_some_and(|(service, method)| is_name(service) && (method == "*" || is_name(method)))
}
