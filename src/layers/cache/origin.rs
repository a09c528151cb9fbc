use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response};

use crate::body::Body;
use crate::context::Context;
use crate::outcome::Error;
use crate::pattern::InnerService;
use crate::rt::Lock;

/// What stands further in than the cache, for fetches that run in tasks of their own.
///
/// A pattern can't run the inner patterns in a task: it only borrows them. So whoever puts the cache in
/// its place gives it this second way to them.
pub(crate) trait Origin: Send + Sync {
    /// Sends a request, as a part of the call with this context.
    fn fetch(&self, request: Request<Body>, context: Context) -> Fetched;
}

pub(crate) type Fetched = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

/// A service below the cache alone.
pub(super) struct ServiceOrigin<S>(Mutex<S>);

impl<S> ServiceOrigin<S> {
    pub(super) fn new(service: S) -> Self {
        Self(Mutex::new(service))
    }
}

impl<S, B> Origin for ServiceOrigin<S>
where
    S: InnerService<Body, ResponseBody = B>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<crate::BoxError>,
{
    fn fetch(&self, mut request: Request<Body>, context: Context) -> Fetched {
        let mut service = self.0.locked().clone();
        Box::pin(async move {
            let ready = poll_fn(|cx| service.poll_ready(cx)).await;
            ready.map_err(|error| Error::from_inner(error, Some(&context)).unsent())?;
            context.state().leave_queue();
            request.extensions_mut().insert(context.clone());
            let answered = service.call(request).await;
            let response = answered.map_err(|error| Error::from_inner(error, Some(&context)))?;
            Ok(response.map(Body::new))
        })
    }
}
