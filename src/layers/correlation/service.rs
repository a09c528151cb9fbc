use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::header::Entry;
use http::{HeaderName, HeaderValue, Request};
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::CorrelationLayer;
use crate::context::{Context, CorrelationId, Scope};
use crate::error::{BoxError, Error};
use crate::event::Event;

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
        let own = match request.extensions().is_empty() {
            true => None,
            false => request.extensions().get::<CorrelationId>().cloned(),
        };
        let integration = emitter.integration();
        let context = Context::pooled(request.extensions_mut(), pool, integration, rng);
        let settle = |inbound: Option<CorrelationId>| {
            let mint = || CorrelationId::from_minted(context.id_header().clone());
            let inherit = || own.or(inbound).or_else(Scope::current_correlation_id);
            let id = context.call().correlation.get_or_init(|| inherit().unwrap_or_else(mint));
            id.as_header().clone()
        };
        match request.headers_mut().entry(header) {
            Entry::Vacant(place) => {
                place.insert(settle(None));
            }
            Entry::Occupied(mut place) => {
                let inbound = self.trusted(place.get(), &context);
                place.insert(settle(inbound));
            }
        }
        self.withhold_baggage(request);
        context
    }

    /// The id that the request came with, if it may be trusted with a log line.
    fn trusted(&self, value: &HeaderValue, context: &Context) -> Option<CorrelationId> {
        let id = CorrelationId::from_header(value).ok();
        if id.is_none() {
            self.settings.emitter.emit(Some(context), || Event::CorrelationReplaced);
        }
        id
    }

    fn withhold_baggage<B>(&self, request: &mut Request<B>) {
        if !request.headers().contains_key(BAGGAGE) {
            return;
        }
        let host = request.uri().host().unwrap_or_default();
        if !self.settings.baggage_to.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
            request.headers_mut().remove(BAGGAGE);
        }
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

/// W3C Baggage.
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
