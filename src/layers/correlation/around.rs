use std::sync::Arc;

use http::{HeaderName, Request};

use super::baggage;
use super::layer::CorrelationLayer;
use crate::context::{BAGGAGE, CorrelationId, Scope, TRACEPARENT, TRACESTATE, TraceContext};
use crate::event::Event;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Unbegun, WholeAnswer, Wire};
use crate::rt::callback;

/// Sends a correlation id with every call, as code around a call: what a
/// [`CorrelationLayer`](super::CorrelationLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct CorrelationPattern {
    settings: Arc<CorrelationLayer>,
}

/// The ids that a request has.
struct RequestIds {
    id: Option<CorrelationId>,
    /// Its header is not a valid id.
    is_replaced: bool,
    trace: Option<TraceContext>,
    /// It has headers of a trace, valid or not, or baggage.
    has_trace_headers: bool,
}

impl CorrelationPattern {
    pub(super) fn new(settings: &CorrelationLayer) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }

    /// Takes what the request has, and what the scope and the span have in which the call is made.
    fn inherit<W: Wire>(&self, attempt: &Attempt<W>) {
        let CorrelationLayer { header, emitter, rng, .. } = &*self.settings;
        let ids = attempt.request(|request| RequestIds::by(request, header));
        let Some(RequestIds { id, is_replaced, trace, has_trace_headers }) = ids else { return };
        let facts = attempt.facts();
        if let Some(id) = id.or_else(Scope::current_correlation_id) {
            let _ = facts.correlation.set(id);
        }
        if is_replaced {
            attempt.request(|request| request.headers_mut().remove(header));
            emitter.emit(Some(&attempt.context()), || Event::CorrelationReplaced);
        }
        let trace = trace.or_else(|| self.current_trace());
        let is_traced = trace.is_some_and(|trace| {
            let _ = facts.trace.set(trace);
            attempt.continue_trace(rng);
            true
        });
        if has_trace_headers {
            attempt.request(|request| {
                if !is_traced {
                    // Remove invalid headers: a malformed parent, two of them, a state alone.
                    TraceContext::erase(request.headers_mut());
                }
                baggage::restrict(request, &self.settings.baggage_to);
            });
        }
    }

    /// Takes what is still missing from the scope and the span in which the call is polled, or makes
    /// it.
    fn complete<W: Wire>(&self, call: &Call, attempt: &Attempt<W>) {
        let CorrelationLayer { header, begins_traces, rng, .. } = &*self.settings;
        let facts = call.facts();
        if facts.correlation.get().is_none()
            && let Some(id) = Scope::current_correlation_id()
        {
            let _ = facts.correlation.set(id);
        }
        let id = facts.correlate(rng);
        if facts.trace.get().is_none() {
            let begun = || begins_traces.then(|| TraceContext::begin(rng));
            if let Some(trace) = self.current_trace().or_else(begun) {
                let _ = facts.trace.set(trace);
                attempt.continue_trace(rng);
            }
        }
        attempt.request(|request| {
            request.headers_mut().insert(header, id.as_header().clone());
        });
    }

    fn current_trace(&self) -> Option<TraceContext> {
        let current = self.settings.current_trace.as_deref();
        let current = || callback::call("current trace", current?).flatten();
        Scope::current_trace().or_else(current)
    }
}

impl Pattern for CorrelationPattern {
    fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> impl Future<Output = Flow> + Send {
        self.complete(call, attempt);
        next.run(call, attempt)
    }

    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        self.inherit(attempt);
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }

    /// A span must be read when the call is made, and a trace that begins is a fact of its call.
    fn may_answer_at_once(&self, next: bool) -> bool {
        let CorrelationLayer { current_trace, begins_traces, .. } = &*self.settings;
        next && current_trace.is_none() && !begins_traces
    }

    /// A call with an id or a trace of its caller's keeps it as a fact.
    fn answer_at_once(
        &self,
        call: &mut Unbegun<'_>,
        next: impl FnOnce(&mut Unbegun<'_>) -> Option<WholeAnswer>,
    ) -> Option<WholeAnswer> {
        if RequestIds::are_in(call.request, &self.settings.header) {
            return None;
        }
        call.is_correlated = true;
        next(call)
    }
}

impl RequestIds {
    /// Whether a request has an id or a trace, which may be unfit.
    fn are_in<B>(request: &Request<B>, header: &HeaderName) -> bool {
        let own = request.extensions();
        request.headers().keys().any(|name| name == header || TRACE_HEADERS.contains(name))
            || !own.is_empty()
                && (own.get::<CorrelationId>().is_some() || own.get::<TraceContext>().is_some())
    }

    /// Extensions come before headers.
    fn by<B>(request: &Request<B>, header: &HeaderName) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        // One pass over all headers is faster than a search for each of the four.
        let (mut in_header, mut has_trace_headers) = (None, false);
        for (name, value) in headers {
            if name == header {
                in_header = in_header.or(Some(value));
            }
            has_trace_headers |= TRACE_HEADERS.contains(name);
        }
        let in_header = in_header.map(CorrelationId::from_header);
        let is_replaced = matches!(in_header, Some(Err(_)));
        let by_hand = || match has_trace_headers && headers.contains_key(TRACEPARENT) {
            true => TraceContext::from_headers(headers),
            false => None,
        };
        // Most requests have none.
        let own = (!extensions.is_empty()).then_some(extensions);
        let id = own.and_then(|own| own.get::<CorrelationId>().cloned());
        let trace = own.and_then(|own| own.get::<TraceContext>().cloned());
        Self {
            id: id.or_else(|| in_header.and_then(Result::ok)),
            is_replaced,
            trace: trace.or_else(by_hand),
            has_trace_headers,
        }
    }
}

const TRACE_HEADERS: [HeaderName; 3] = [TRACEPARENT, TRACESTATE, BAGGAGE];
