use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::Request;
use tower_service::Service;

use super::baggage;
use super::future::ResponseFuture;
use super::layer::CorrelationLayer;
use crate::context::{Beginning, Context, CorrelationId, Scope, TRACEPARENT, TraceContext};
use crate::event::Event;
use crate::outcome::{BoxError, Error};
use crate::rt::callback;

/// Sends a correlation id with every call. See the [module](super).
#[derive(Clone, Debug)]
pub struct Correlation<S> {
    inner: S,
    settings: Arc<CorrelationLayer>,
}

impl<S> Correlation<S> {
    pub(super) fn new(inner: S, settings: Arc<CorrelationLayer>) -> Self {
        Self { inner, settings }
    }

    fn begin<B>(&self, request: &mut Request<B>) -> Context {
        let CorrelationLayer { header, emitter, rng, pool, .. } = &*self.settings;
        let inbound = request.headers().get(header).map(CorrelationId::from_header);
        let is_replaced = matches!(inbound, Some(Err(_)));
        let inbound = inbound.and_then(Result::ok);

        let extensions = request.extensions_mut();
        let (known, own) = match extensions.is_empty() {
            true => (None, None),
            false => (extensions.get::<Context>().cloned(), extensions.get::<CorrelationId>()),
        };
        let correlation = own.cloned().or(inbound).or_else(Scope::current_correlation_id);
        let context = match known {
            Some(context) => {
                // A layer further out began the call, without an id.
                let mint = || CorrelationId::from_minted(context.id_header().clone());
                let settle = || correlation.unwrap_or_else(mint);
                let _ = context.call().correlation.get_or_init(settle);
                context
            }
            None => {
                let integration = emitter.integration();
                let with = Beginning { pool, integration, rng, correlation };
                Context::begin(extensions, with)
            }
        };
        if is_replaced {
            emitter.emit(Some(&context), || Event::CorrelationReplaced);
        }
        self.continue_trace(&context, request);
        if let Some(id) = context.correlation_id() {
            request.headers_mut().insert(header, id.as_header().clone());
        }
        baggage::restrict(request, &self.settings.baggage_to);
        context
    }

    /// The trace is the first of: the request's extension, its header, the scope's, whatever else was
    /// set to know it.
    fn continue_trace<B>(&self, context: &Context, request: &mut Request<B>) {
        // Most calls carry their context and nothing else.
        let others = request.extensions().len() > 1;
        let own = others.then(|| request.extensions().get::<TraceContext>().cloned()).flatten();
        let by_hand = || match request.headers().contains_key(TRACEPARENT) {
            true => TraceContext::from_headers(request.headers()),
            false => None,
        };
        let current = || {
            let current = self.settings.current_trace.as_deref()?;
            callback::call("current trace", current).flatten()
        };
        let trace = own.or_else(by_hand).or_else(Scope::current_trace).or_else(current);
        let begun = || self.settings.begins_traces.then(|| TraceContext::begin(&self.settings.rng));
        let Some(trace) = trace.or_else(begun) else {
            // What is left of one is nobody's: a broken parent, two of them, a state alone.
            return TraceContext::erase(request.headers_mut());
        };
        let _ = context.call().trace.set(trace);
        let (mut own, rng) = (context.clone(), &self.settings.rng);
        own.continue_trace(request.headers_mut(), rng);
        request.extensions_mut().insert(own);
    }
}

impl<S, ReqBody> Service<Request<ReqBody>> for Correlation<S>
where
    S: Service<Request<ReqBody>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let context = self.begin(&mut request);
        ResponseFuture::new(self.inner.call(request), context)
    }
}
