use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::{Next, ResponseFuture, Run};
use super::layer::RehearsalLayer;
use crate::context::Context;
use crate::outcome::{BoxError, Error, ErrorKind};
use crate::terms::{Delivery, InjectedFault};

/// Injects faults. See the [module](super).
#[derive(Clone, Debug)]
pub struct Rehearsal<S> {
    inner: S,
    settings: Arc<RehearsalLayer>,
}

impl<S> Rehearsal<S> {
    pub(super) fn new(inner: S, settings: Arc<RehearsalLayer>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Rehearsal<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<super::ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let injection = match self.settings.injection(request.headers_mut()) {
            Ok(None) => return ResponseFuture::sent(self.inner.call(request), None),
            Ok(Some(injection)) => Ok(injection),
            Err(why) => Err(why),
        };
        let settings = Arc::clone(&self.settings);
        let context = Context::of(request.extensions_mut(), settings.emitter.integration());
        let injection = match injection {
            Ok(injection) => injection,
            Err(why) => return ResponseFuture::refused(refused(why, &context)),
        };
        let run = Run { slow_body: injection.slow_body, context, settings };
        let next = match (injection.ending, injection.latency) {
            (Some(ending), _) => Next::Make(ending),
            (None, None) => return ResponseFuture::sent(self.inner.call(request), Some(run)),
            // The very instance that was polled ready; a clone takes its place.
            (None, Some(_)) => {
                let clone = self.inner.clone();
                Next::Send(std::mem::replace(&mut self.inner, clone), request)
            }
        };
        match injection.latency {
            None => ResponseFuture::next(next, run),
            Some(latency) => {
                run.tell(InjectedFault::Latency);
                ResponseFuture::late(latency, next, run)
            }
        }
    }
}

fn refused(why: &'static str, context: &Context) -> Error {
    Error::new(ErrorKind::Request, Delivery::NotSent)
        .with_detail(why)
        .with_context(context)
        .with_elapsed(context.elapsed())
}
