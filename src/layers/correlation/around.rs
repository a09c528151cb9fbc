use std::sync::Arc;

use http::{HeaderName, Request};

use super::baggage;
use super::layer::CorrelationLayer;
use crate::context::{BAGGAGE, CorrelationId, Scope, TRACEPARENT, TRACESTATE, TraceContext};
use crate::event::Event;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
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

    fn assign<W: Wire>(&self, attempt: &Attempt<W>) {
        let CorrelationLayer { header, emitter, rng, .. } = &*self.settings;
        let ids = attempt.request(|request| RequestIds::by(request, header));
        let Some(RequestIds { id, is_replaced, trace, has_trace_headers }) = ids else { return };
        let facts = attempt.facts();
        let call_id = facts.mint_id(rng);
        let made = || CorrelationId::from_minted(call_id.to_header());
        let inherited = id.or_else(Scope::current_correlation_id);
        let id = facts.correlation.get_or_init(|| inherited.unwrap_or_else(made));
        if is_replaced {
            emitter.emit(Some(&attempt.context()), || Event::CorrelationReplaced);
        }
        let trace = trace.or_else(|| self.trace());
        let is_traced = trace.is_some_and(|trace| {
            let _ = facts.trace.set(trace);
            attempt.continue_trace(rng);
            true
        });
        attempt.request(|request| {
            request.headers_mut().insert(header, id.as_header().clone());
            if !has_trace_headers {
                return;
            }
            if !is_traced {
                // Remove invalid headers: a malformed parent, two of them, a state alone.
                TraceContext::erase(request.headers_mut());
            }
            baggage::restrict(request, &self.settings.baggage_to);
        });
    }

    /// The trace of a call whose request has none.
    fn trace(&self) -> Option<TraceContext> {
        let CorrelationLayer { current_trace, begins_traces, rng, .. } = &*self.settings;
        let current = || callback::call("current trace", current_trace.as_deref()?).flatten();
        let begun = || begins_traces.then(|| TraceContext::begin(rng));
        Scope::current_trace().or_else(current).or_else(begun)
    }
}

impl Pattern for CorrelationPattern {
    fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> impl Future<Output = Flow> + Send {
        next.run(call, attempt)
    }

    /// Ids and traces are taken from the scope in which the call is made.
    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        self.assign(attempt);
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl RequestIds {
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
