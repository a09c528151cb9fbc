use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use http::{HeaderValue, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::RequestBody;
use super::future::ResponseFuture;
use super::layer::TimeoutLayer;
use crate::context::{Context, UploadProgress};
use crate::outcome::{BoxError, Error};
use crate::rt;

/// Ends every attempt in time. See the [module](super).
#[derive(Clone, Debug)]
pub struct Timeout<S> {
    inner: S,
    settings: Arc<TimeoutLayer>,
}

impl<S> Timeout<S> {
    pub(super) fn new(inner: S, settings: Arc<TimeoutLayer>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Timeout<S>
where
    S: Service<Request<RequestBody<ReqBody>>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ReqBody: Body,
{
    type Response = Response<ResBody>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &self.settings;
        let context = Context::of(request.extensions_mut(), settings.emitter.integration());
        if let Some(header) = &settings.send_on
            && let Some(left) = left(&context, settings)
        {
            request.headers_mut().insert(header, left);
        }
        let upload = settings.watches_upload().then(|| UploadProgress::new(rt::now()));
        if let Some(upload) = &upload {
            request.extensions_mut().insert(upload.clone());
        }
        let request = request.map(|body| RequestBody::new(body, upload.clone()));
        ResponseFuture::new(self.inner.call(request), context, upload, Arc::clone(settings))
    }
}

/// The milliseconds that are left for the attempt, as a header's value.
fn left(context: &Context, settings: &TimeoutLayer) -> Option<HeaderValue> {
    let now = rt::now();
    let attempt = settings.attempt.map(|limit| rt::after(now, limit));
    let due = attempt.into_iter().chain(context.deadline()).min()?;
    let millis = Instant::saturating_duration_since(&due, now).as_millis();
    Some(HeaderValue::from(u64::try_from(millis).unwrap_or(u64::MAX)))
}
