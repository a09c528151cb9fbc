use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::KillSwitchLayer;
use crate::context::{Context, Gate};
use crate::outcome::{BoxError, Error};
use crate::pattern::ready::Inner;

/// Lets people stop all calls. See the [module](super).
#[derive(Clone, Debug)]
pub struct KillSwitch<S> {
    inner: Inner<S>,
    settings: Arc<KillSwitchLayer>,
}

impl<S> KillSwitch<S> {
    pub(super) fn new(inner: S, settings: &KillSwitchLayer) -> Self {
        Self { inner: Inner::new(inner), settings: Arc::new(settings.clone()) }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for KillSwitch<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        if !self.settings.switch.mode().lets_calls_through() {
            // The call will be refused: the inner service is left alone.
            return Poll::Ready(Ok(()));
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let context = Context::of(request.extensions_mut(), self.settings.emitter.integration());
        if let Some(error) = self.settings.refusal_of(&request, &context) {
            context.call().count_none();
            self.inner.let_go();
            return ResponseFuture::rejected(error);
        }
        // What waits further in is stopped there, if it must be.
        context.call().add_gate(Arc::clone(&self.settings) as Arc<dyn Gate>);
        ResponseFuture::sent(self.inner.send(request))
    }
}
