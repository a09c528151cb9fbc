use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{ResponseBody, Tee};
use crate::outcome::{BoxError, Error};

pin_project! {
    /// The real call, looked at for its copy if both are compared.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        tee: Option<Tee>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, tee: Option<Tee>) -> Self {
        Self { inner, tee }
    }
}

impl<F, ResBody, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let tee = this.tee.take();
        Poll::Ready(match result {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let body = ResponseBody::new(body, tee.map(|tee| tee.answered(&head)));
                Ok(Response::from_parts(head, body))
            }
            Err(error) => {
                let error = Error::from_inner(error, None);
                if let Some(tee) = tee {
                    tee.fail(&error);
                }
                Err(error)
            }
        })
    }
}
