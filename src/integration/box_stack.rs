use std::future::Future;
use std::sync::Arc;

use http::Request;

use super::IntegrationWire;
use crate::body::Body;
use crate::cache::{Fetched, Origin};
use crate::context::{Context, Scope};
use crate::pattern::{Attempt, Begin, Call, CallBoxes, Flow, Next, Running, start, start_waiting};

/// A stack of any type, as a trait object.
pub(super) trait DynStack: Send + Sync {
    fn send(&self, request: Request<Body>) -> Running<IntegrationWire>;
}

/// A stack, and its free call boxes.
pub(super) struct BoxStack<N> {
    name: Option<Arc<str>>,
    stack: Arc<N>,
    boxes: Arc<CallBoxes<IntegrationWire>>,
    may_answer_at_once: bool,
}

impl<N: Next<IntegrationWire>> BoxStack<N> {
    pub(super) fn new(name: Option<Arc<str>>, stack: Arc<N>) -> Self {
        let may_answer_at_once = stack.may_answer_at_once();
        Self { name, stack, boxes: Arc::default(), may_answer_at_once }
    }
}

/// A part of a stack that the cache's fetches use too.
pub(super) struct Shared<N>(pub(super) Arc<N>);

impl<N: Next<IntegrationWire>> Next<IntegrationWire> for Shared<N> {
    #[inline]
    fn run(
        &self,
        call: &Call,
        attempt: &Attempt<IntegrationWire>,
    ) -> impl Future<Output = Flow> + Send {
        self.0.run(call, attempt)
    }

    fn begin(&self, attempt: &Attempt<IntegrationWire>) {
        self.0.begin(attempt);
    }

    fn release(&self) {
        self.0.release();
    }
}

impl<N: Next<IntegrationWire> + 'static> Origin for BoxStack<N> {
    fn fetch(&self, request: Request<Body>, context: Context) -> Fetched {
        let begin = Begin { request, context: |_| context };
        let running = start(&self.boxes, || Arc::clone(&self.stack), begin, |_| {});
        Box::pin(async move { Ok(running.await?.map(Body::from)) })
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
        if self.may_answer_at_once && cause.is_none() && !Scope::is_current() {
            let stack = || Arc::clone(&self.stack);
            return start_waiting(&self.boxes, stack, request, self.name.as_ref(), |_| {});
        }
        let context = |spare| Context::fresh(spare, self.name.as_ref()).caused_by(cause);
        let begin = Begin { request, context };
        start(&self.boxes, || Arc::clone(&self.stack), begin, |_| {})
    }
}
