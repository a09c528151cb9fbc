//! The facts of one call, which its requests carry.
//!
//! The first layer that needs it puts a [`Context`] into the request's extensions, and other layers
//! update it in place: the call's id, its deadline, its idempotency key, its number of attempts.
//! Any code that holds the request can read it:
//!
//! ```
//! # fn in_a_service<B>(request: http::Request<B>) {
//! use outrigger::context::Context;
//!
//! if let Some(context) = request.extensions().get::<Context>() {
//!     println!("call {} attempt {}", context.call_id(), context.attempt());
//! }
//! # }
//! ```
//!
//! A [`Scope`] carries a correlation id, a deadline and call options from an outer piece of work to every
//! call that is made inside it, and a [`Report`] tells what these calls came to.

mod attempt_state;
mod call;
mod carried;
mod extension;
mod head;
mod ids;
mod moment;
mod names;
pub(crate) mod recording;
mod report;
mod retries;
mod scope;
mod stop;
mod target;
mod trace;
mod trace_state;
mod upload;

pub use extension::Context;
pub use head::RequestHead;
pub use ids::{CallId, CorrelationId, IdempotencyKey, InvalidId};
pub use names::{BusinessKey, PathTemplate};
pub use report::{Report, ReportedCall};
#[doc(hidden)]
pub use retries::Retries;
pub use scope::{CallDeadline, Scope, Scoped};
pub use target::CallTarget;
pub(crate) use target::Peer;
pub use trace::{SpanId, TraceContext, TraceId};

pub(crate) use trace::{BAGGAGE, TRACEPARENT, TRACESTATE};

pub(crate) use attempt_state::AttemptState;
pub(crate) use call::Call;
pub(crate) use carried::{AttemptLimit, CallLimit, Carried, KnownBody, has_limit};
pub(crate) use ids::KeyFact;
pub(crate) use moment::Moment;
pub(crate) use recording::{Capture, Exchange};
pub(crate) use report::{CallEnd, ReportEntry};
pub(crate) use retries::{CarriedOut, CredentialRenewed, UriIsSigned};
pub(crate) use stop::{Stop, Stopped};
pub(crate) use upload::{Upload, UploadProgress};
