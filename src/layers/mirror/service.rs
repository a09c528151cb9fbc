use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use super::body::{ResponseBody, Tee};
use super::copy::CopyTask;
use super::future::ResponseFuture;
use super::layer::MirrorLayer;
use super::request::copy;
use crate::body::Body;
use crate::context::{Context, RequestHead};
use crate::event::Event;
use crate::outcome::{BoxError, Error};
use crate::rt;
use crate::rt::callback;
use crate::settings::Ratio;

/// Copies calls to another service. See the [module](super).
#[derive(Debug)]
pub struct Mirror<S, T> {
    inner: S,
    settings: Arc<MirrorLayer<T>>,
}

impl<S, T> Mirror<S, T> {
    pub(super) fn new(inner: S, settings: Arc<MirrorLayer<T>>) -> Self {
        Self { inner, settings }
    }
}

impl<S: Clone, T> Clone for Mirror<S, T> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.settings))
    }
}

impl<S, T, ResBody, CopyBody> Service<Request<Body>> for Mirror<S, T>
where
    S: Service<Request<Body>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: http_body::Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
    T: Service<Request<Body>, Response = Response<CopyBody>> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
    CopyBody: http_body::Body<Data = Bytes> + Send + 'static,
    CopyBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let tee = match self.is_drawn() {
            true => self.mirror(&request),
            false => None,
        };
        ResponseFuture::new(self.inner.call(request), tee)
    }
}

impl<S, T> Mirror<S, T> {
    fn is_drawn(&self) -> bool {
        let share = self.settings.tally.share();
        share > Ratio::ZERO && share.is_drawn(&self.settings.rng)
    }

    /// Sends a copy on its way; what comes back watches the real answer for it.
    fn mirror<CopyBody>(&self, request: &Request<Body>) -> Option<Tee>
    where
        T: Service<Request<Body>, Response = Response<CopyBody>> + Clone + Send + Sync + 'static,
        T::Error: Into<BoxError>,
        T::Future: Send,
        CopyBody: http_body::Body<Data = Bytes> + Send + 'static,
        CopyBody::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        // A choice that panics is none: the real call goes on.
        let chosen = || (settings.choose)(&RequestHead::of(request));
        if !callback::call("mirror choice", chosen).unwrap_or(false) {
            return None;
        }
        let context = request.extensions().get::<Context>();
        // The place first: a target that hangs makes the rest cheap.
        let place = settings.tally.enter(settings.concurrency);
        let sent = place.and_then(|place| {
            let copied = copy(request, settings.key_header.as_ref())?;
            let (tell, real) = match &settings.compare {
                Some(_) => Some(oneshot::channel()).unzip(),
                None => (None, None),
            };
            let task = CopyTask::new(Arc::clone(settings), context.cloned(), place);
            rt::spawn(task.run(copied, real)).then_some(tell)
        });
        match sent {
            Some(tell) => tell.map(|tell| Tee::new(tell, settings.body_cap)),
            None => {
                settings.tally.skip();
                settings.emitter.emit(context, || Event::MirrorSkipped);
                None
            }
        }
    }
}
