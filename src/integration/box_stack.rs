use std::sync::Arc;

use http::Request;

use super::IntegrationWire;
use crate::body::Body;
use crate::context::Context;
use crate::pattern::{Begin, CallBoxes, Next, Running, start};

/// A stack of any type, as a trait object.
pub(super) trait DynStack: Send + Sync {
    fn send(&self, request: Request<Body>) -> Running<IntegrationWire>;
}

/// A stack, and its free call boxes.
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

impl<N: Next<IntegrationWire> + 'static> DynStack for BoxStack<N> {
    fn send(&self, mut request: Request<Body>) -> Running<IntegrationWire> {
        // The context of the call that caused this one, which has its own key, attempts and
        // deadline.
        let cause = match request.extensions().is_empty() {
            true => None,
            false => request.extensions_mut().remove::<Context>(),
        };
        let context = |spare| Context::fresh(spare, self.name.as_ref()).caused_by(cause);
        let begin = Begin { request, context };
        start(&self.boxes, || Arc::clone(&self.stack), begin, |_| {})
    }
}
