use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::breaker::Breaker;
use super::future::ResponseFuture;
use super::layer::CircuitBreakerLayer;
use super::pass::Pass;
use crate::body::GuardedBody;
use crate::context::{Context, RequestHead};
use crate::error::{BoxError, Error};
use crate::event::BreakerState;
use crate::inner::Inner;

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
        let pass = match self.breakers.of(&request) {
            None => None,
            Some(breaker) => {
                let integration = breaker.emitter.integration();
                let context = Context::of(request.extensions_mut(), integration);
                match breaker.admit(context) {
                    Ok(pass) => Some(pass),
                    Err(error) => {
                        self.inner.let_go();
                        return ResponseFuture::rejected(error);
                    }
                }
            }
        };
        ResponseFuture::sent(self.inner.send(request), pass)
    }
}

// === impl Breakers ===

impl Breakers {
    /// Whether a call may pass just now, as far as can be told without its request.
    fn may_pass(&self) -> bool {
        match self {
            Self::None => true,
            Self::One(breaker) => breaker.machine.state() == BreakerState::Closed,
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
