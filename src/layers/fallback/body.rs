use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::body::Body;
use crate::outcome::{BoxError, Error};

pin_project! {
    /// The body of the provider's answer, or of the fallback's.
    #[derive(Debug)]
    #[project = BodyProjection]
    pub struct ResponseBody<B> {
        #[pin]
        source: Source<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = SourceProjection]
    enum Source<B> {
        Provider { #[pin] body: B },
        Fallback { body: Body },
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn of_provider(body: B) -> Self {
        Self { source: Source::Provider { body } }
    }

    pub(super) fn of_fallback(body: Body) -> Self {
        Self { source: Source::Fallback { body } }
    }
}

impl<B> http_body::Body for ResponseBody<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.project().source.project() {
            SourceProjection::Fallback { body } => Pin::new(body).poll_frame(cx),
            SourceProjection::Provider { body } => {
                let frame = std::task::ready!(body.poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(|error| Error::from_body(error, None))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Provider { body } => body.is_end_stream(),
            Source::Fallback { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Provider { body } => body.size_hint(),
            Source::Fallback { body } => body.size_hint(),
        }
    }
}
