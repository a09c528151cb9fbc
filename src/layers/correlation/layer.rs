use std::sync::Arc;

use http::HeaderName;
use tower_layer::Layer;

use super::service::Correlation;
use crate::context::ContextPool;
use crate::event::Emitter;
use crate::rt::Rng;

/// Sends a correlation id with every call. See the [module](super).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CorrelationLayer {
    pub(crate) header: HeaderName,
    pub(crate) baggage_to: Vec<String>,
    pub(super) emitter: Emitter,
    pub(super) rng: Rng,
    pub(super) pool: ContextPool,
}

impl CorrelationLayer {
    /// Sends `x-request-id`.
    pub fn new() -> Self {
        Self {
            header: HeaderName::from_static("x-request-id"),
            baggage_to: Vec::new(),
            emitter: Emitter::new(),
            rng: Rng::system(),
            pool: ContextPool::default(),
        }
    }

    /// The header that carries the id, in and out.
    pub fn header(mut self, header: HeaderName) -> Self {
        self.header = header;
        self
    }

    /// A host that may see the `baggage` header; by default none may.
    pub fn baggage_to(mut self, host: impl Into<String>) -> Self {
        self.baggage_to.push(host.into());
        self
    }

    /// Where events go.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// What ids are made of.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }
}

impl Default for CorrelationLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for CorrelationLayer {
    type Service = Correlation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Correlation::new(inner, Arc::new(self.clone()))
    }
}
