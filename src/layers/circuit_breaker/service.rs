use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::breaker::{Breaker, Entry};
use super::future::ResponseFuture;
use super::layer::CircuitBreakerLayer;
use super::pass::Pass;
use super::state::Asker;
use crate::body::GuardedBody;
use crate::context::{Context, RequestHead};
use crate::outcome::{BoxError, Error};
use crate::pattern::ready::Inner;
use crate::replay::{Steer, is_idempotent};

/// Stops calling a provider that is down. See the [module](super).
#[derive(Clone, Debug)]
pub struct CircuitBreaker<S> {
    inner: Inner<S>,
    breakers: Breakers,
}

#[derive(Clone, Debug)]
enum Breakers {
    None,
    One(Arc<Breaker>),
    Keyed(Arc<CircuitBreakerLayer>),
}

impl<S> CircuitBreaker<S> {
    pub(super) fn new(inner: S, layer: &CircuitBreakerLayer) -> Self {
        let breakers = match (layer.breaker(), &layer.config, &layer.map) {
            (Some(breaker), ..) => Breakers::One(breaker),
            (None, Some(_), Some(_)) => Breakers::Keyed(Arc::new(layer.clone())),
            _ => Breakers::None,
        };
        Self { inner: Inner::new(inner), breakers }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for CircuitBreaker<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: 'static,
{
    type Response = Response<GuardedBody<ResBody, Pass>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        if !self.breakers.may_pass() {
            // The call will be refused: the inner service is left alone.
            return Poll::Ready(Ok(()));
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let Some(breaker) = self.breakers.of(&request) else {
            return ResponseFuture::sent(self.inner.send(request), None);
        };
        let integration = breaker.emitter.integration();
        let context = Context::of(request.extensions_mut(), integration);
        match breaker.admit(context, || asker(&request)) {
            Entry::Passed(pass) => ResponseFuture::sent(self.inner.send(request), Some(pass)),
            Entry::Held(held) => {
                self.inner.let_go();
                ResponseFuture::held(held, self.inner.clone(), request)
            }
            Entry::Refused(error) => {
                self.inner.let_go();
                ResponseFuture::rejected(error)
            }
        }
    }
}

/// Whether the request may be repeated without harm, whatever becomes of it.
fn asker<B>(request: &Request<B>) -> Asker {
    let steered = || request.extensions().get::<Steer>() == Some(&Steer::Safe);
    match is_idempotent(request.method()) || steered() {
        true => Asker::Safe,
        false => Asker::Unsafe,
    }
}

// === impl Breakers ===

impl Breakers {
    /// Whether a call may pass just now, as far as can be told without its request.
    fn may_pass(&self) -> bool {
        match self {
            Self::None => true,
            Self::One(breaker) => breaker.gate.passes_all(),
            Self::Keyed(_) => false,
        }
    }

    fn of<B>(&self, request: &Request<B>) -> Option<Arc<Breaker>> {
        match self {
            Self::None => None,
            Self::One(breaker) => Some(Arc::clone(breaker)),
            Self::Keyed(layer) => {
                let map = layer.map.as_ref()?;
                Some(map.of(&RequestHead::of(request), |config| Breaker::alone(layer, config)))
            }
        }
    }
}
