//! The facts that ride with one call.
//!
//! A [`Context`] is put into a request's extensions once, by the first layer that needs it, and
//! updated in place by the others: who the call is, when it must end, its idempotency key, how many
//! attempts it took. Whoever holds the request can read it:
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
//! A [`Scope`] carries a correlation id and a deadline from an outer piece of work to every call
//! that is made inside it.

mod attempt_state;
mod call;
mod extension;
mod gate;
mod head;
mod ids;
mod names;
pub(crate) mod recording;
mod retries;
mod scope;
mod target;
mod trace;
mod trace_state;
mod upload;

pub use extension::Context;
pub use head::RequestHead;
pub use ids::{CallId, CorrelationId, IdempotencyKey, InvalidId};
pub use names::{BusinessKey, PathTemplate};
#[doc(hidden)]
pub use retries::Retries;
pub use scope::{CallDeadline, Scope, Scoped};
pub use target::CallTarget;
pub use trace::{SpanId, TraceContext, TraceId};

pub(crate) use trace::{BAGGAGE, TRACEPARENT};

pub(crate) use attempt_state::AttemptState;
pub(crate) use call::Call;
pub(crate) use gate::{Gate, Stopped};
pub(crate) use ids::KeyFact;
pub(crate) use recording::{Capture, Exchange};
pub(crate) use upload::{Upload, UploadProgress};
