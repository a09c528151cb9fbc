use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::Request;
use tower_service::Service;

use super::layer::IdempotencyLayer;
use super::placement::{InHeader, WriteKey};
use crate::context::{Context, KnownBody, Scope};
use crate::replay::only_reads;

/// Gives unsafe calls a key. See the [module](super).
///
/// It is not made by `pattern_layer!`: a placement is for requests with one body type, and nothing is
/// left to do once the request is sent.
#[derive(Clone, Debug)]
pub struct Idempotency<S, P = InHeader> {
    inner: S,
    layer: Arc<IdempotencyLayer<P>>,
}

impl<S, P> Idempotency<S, P> {
    pub(super) fn new(inner: S, layer: Arc<IdempotencyLayer<P>>) -> Self {
        Self { inner, layer }
    }
}

impl<S, P, ReqBody> Service<Request<ReqBody>> for Idempotency<S, P>
where
    S: Service<Request<ReqBody>>,
    P: WriteKey<ReqBody>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let IdempotencyLayer { settings, placement } = &*self.layer;
        if let Some(scope) = Scope::current_carried()
            && !only_reads(&request)
        {
            scope.give_key(&mut request, &KnownBody::default());
        }
        if let Some(wanted) = settings.wanted(&mut request) {
            let context = Context::of(request.extensions_mut(), settings.emitter.integration());
            if let Some(key) = settings.assign(wanted, context.call(), placement.sends()) {
                request = placement.write(request, &key);
            }
        }
        self.inner.call(request)
    }
}
