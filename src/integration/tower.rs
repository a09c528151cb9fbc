use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body as HttpBody;
use tower_service::Service;

use super::call::Call;
use super::handle::Integration;
use crate::body::{Body, RequestBody};
use crate::outcome::{BoxError, Error};

/// An integration as a service that takes requests with a body of any type. See
/// [`Integration::tower`].
#[derive(Clone, Debug)]
pub struct AnyBodyService(Integration);

impl Integration {
    /// A `tower::Service` for requests with a body of any type, to put below an SDK: a body needs
    /// only be `Send`.
    ///
    /// The [`Integration`] itself is a service, too, for bodies that convert into a
    /// [`Body`](crate::Body); their bytes in memory are sent again without being recorded.
    ///
    /// ```
    /// use http::{Request, Response};
    /// use outrigger::{Body, Integration};
    /// use tower::ServiceExt;
    ///
    /// # async fn main_(crm: Integration) -> Result<(), outrigger::Error> {
    /// let request = Request::get("https://api.crm.example/").body(axum::body::Body::empty()).unwrap();
    /// let response: Response<Body> = crm.tower().oneshot(request).await?;
    /// # let _ = response;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn tower(&self) -> AnyBodyService {
        AnyBodyService(self.clone())
    }
}

impl<B> Service<Request<B>> for AnyBodyService
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Call {
        // One that nobody watches: its data become bytes.
        self.0.send(request.map(|body| Body::new(RequestBody::new(body))))
    }
}
