use opentelemetry::trace::TraceContextExt;

use crate::context::TraceContext;

/// The trace of the OpenTelemetry span that is current (feature `opentelemetry`), for
/// [`CorrelationLayer::current_trace`](crate::correlation::CorrelationLayer::current_trace).
///
/// With `tracing-opentelemetry`, a `tracing` span's own is current while it is entered, if its layer
/// activates contexts (which is its default).
///
/// ```
/// use outrigger::Integration;
/// use outrigger::telemetry::current_trace;
/// # use outrigger::testing::{Answer, Script};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let stripe = Integration::user_flow("stripe")
///     .correlation(|correlation| correlation.current_trace(current_trace))
/// #   .service(Script::new([Answer::status(200)]))
///     .build()?;
/// # let _ = stripe;
/// # Ok(()) }
/// ```
#[must_use]
pub fn current_trace() -> Option<TraceContext> {
    let current = opentelemetry::Context::current();
    let span = current.span().span_context().clone();
    let (trace, parent) = (span.trace_id().to_bytes(), span.span_id().to_bytes());
    let (flags, state) = (span.trace_flags().to_u8(), span.trace_state().header());
    let current = TraceContext::new(trace, parent, span.is_sampled())?;
    Some(current.with_flags(flags).with_state(&state))
}
