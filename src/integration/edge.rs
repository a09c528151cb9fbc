use std::sync::Arc;

use http::Request;

use super::wire::IntegrationWire;
use crate::body::Body;
use crate::context::Context;
use crate::pattern::{Begin, CallBoxes, Next, Running, start};

/// A whole stack behind a pointer.
pub(super) trait Edge: Send + Sync {
    fn send(&self, request: Request<Body>) -> Running<IntegrationWire>;
}

/// A stack, and the rooms of its calls that are over.
pub(super) struct BoxStack<N> {
    name: Option<Arc<str>>,
    stack: Arc<N>,
    boxes: Arc<CallBoxes<IntegrationWire>>,
}

impl<N> BoxStack<N> {
    pub(super) fn new(name: Option<Arc<str>>, stack: N) -> Self {
        Self { name, stack: Arc::new(stack), boxes: Arc::default() }
    }
}

impl<N: Next<IntegrationWire> + 'static> Edge for BoxStack<N> {
    fn send(&self, mut request: Request<Body>) -> Running<IntegrationWire> {
        if !request.extensions().is_empty() {
            // Another call's, which caused this one: it has its own key, attempts and deadline.
            request.extensions_mut().remove::<Context>();
        }
        let context = |spare| Context::fresh(spare, self.name.as_ref());
        let begin = Begin { request, context };
        start(&self.boxes, || Arc::clone(&self.stack), begin, |_| {})
    }
}
