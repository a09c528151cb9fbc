use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::call::Call;
use super::handle::Integration;
use crate::body::Body;
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
        self.0.send(request.map(|inner| Body::new(AnyBody { inner })))
    }
}

pin_project! {
    /// A body of any data as a body of bytes.
    struct AnyBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B: HttpBody> HttpBody for AnyBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        // For `Bytes`, this takes them as they are.
        let bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        let frame = ready!(self.project().inner.poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
