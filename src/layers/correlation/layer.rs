use std::fmt;
use std::sync::Arc;

use http::HeaderName;

use super::around::CorrelationPattern;
use crate::context::TraceContext;
use crate::event::Emitter;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::rt::Rng;

/// Sends a correlation id with every call. See the [module](super).
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CorrelationLayer {
    pub(crate) header: HeaderName,
    pub(crate) baggage_to: Vec<String>,
    pub(super) begins_traces: bool,
    pub(super) current_trace: Option<Arc<CurrentTrace>>,
    pub(super) emitter: Emitter,
    pub(super) rng: Rng,
}

/// A service whose calls carry a correlation id, made by a [`CorrelationLayer`]. The service that
/// it wraps must be `Clone`.
pub type Correlation<S> = Layered<CorrelationPattern, S>;

impl CorrelationLayer {
    /// Sends the id as `x-request-id`, continues traces and removes `baggage`.
    pub fn new() -> Self {
        Self {
            header: HeaderName::from_static("x-request-id"),
            baggage_to: Vec::new(),
            begins_traces: false,
            current_trace: None,
            emitter: Emitter::new(),
            rng: Rng::system(),
        }
    }

    /// The header that carries the id, in a request that brings one and in what is sent;
    /// `x-request-id` by default.
    pub fn header(mut self, header: HeaderName) -> Self {
        self.header = header;
        self
    }

    /// A host that may see the `baggage` header; by default none may. It gets the first 180 members and
    /// 8,192 bytes at most, because more need not be propagated (W3C Baggage).
    ///
    /// It is not sent through a [reqwest client](crate::transport::reqwest) that may follow redirects.
    pub fn baggage_to(mut self, host: impl Into<String>) -> Self {
        self.baggage_to.push(host.into());
        self
    }

    /// Begins a trace for each call that belongs to none; by default, only existing traces are
    /// continued.
    pub fn begin_traces(mut self) -> Self {
        self.begins_traces = true;
        self
    }

    /// Returns the trace of the place where a call is made, if neither the request nor the
    /// [`Scope`](crate::context::Scope) has one: from an OpenTelemetry context, for example. If it panics,
    /// there is none.
    pub fn current_trace<F>(mut self, current: F) -> Self
    where
        F: Fn() -> Option<TraceContext> + Send + Sync + 'static,
    {
        self.current_trace = Some(Arc::new(current));
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// What generates ids; a seeded one makes tests repeatable.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }
}

impl Slot for CorrelationLayer {
    fn adopt(self, wiring: &Wiring) -> Self {
        self.emitter(wiring.emitter.clone())
    }
}

type CurrentTrace = dyn Fn() -> Option<TraceContext> + Send + Sync;

impl fmt::Debug for CorrelationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorrelationLayer").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Default for CorrelationLayer {
    fn default() -> Self {
        Self::new()
    }
}

pattern_layer!(CorrelationLayer => CorrelationPattern, AsIs, |settings| CorrelationPattern::new(settings));
