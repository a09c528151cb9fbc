use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, response::Parts};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::oneshot;

use super::seen::Kept;
use crate::outcome::{BoxError, Error};

pin_project! {
    /// The real answer's body, looked at as it is read if it is compared.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        // Taken when the copy is told, or there is nothing to tell.
        watch: Option<Watch>,
    }
}

/// What came of the real call.
#[derive(Debug)]
pub(super) enum Real {
    Answered { status: StatusCode, headers: HeaderMap, kept: Kept },
    Failed(Error),
}

/// Where the copy waits to be told of the real call; dropped untold, it waits no more.
#[derive(Debug)]
pub(super) struct Tee {
    tell: oneshot::Sender<Real>,
    kept: Kept,
}

/// A tee once the head was here.
#[derive(Debug)]
pub(super) struct Watch {
    tee: Tee,
    status: StatusCode,
    headers: HeaderMap,
}

// === impl ResponseBody ===

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, watch: Option<Watch>) -> Self {
        let watch = match watch {
            Some(watch) if inner.is_end_stream() => {
                watch.complete();
                None
            }
            watch => watch,
        };
        Self { inner, watch }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let frame = frame.map(|frame| frame.map_err(|error| Error::from_body(error, None)));
        // A copy that was cut meanwhile has no ear for it: nothing more is kept.
        let Some(mut watch) = this.watch.take().filter(Watch::is_heard) else {
            return Poll::Ready(frame);
        };
        match &frame {
            Some(Err(error)) => watch.tee.fail(error),
            None => watch.complete(),
            Some(Ok(frame)) => {
                if let Some(chunk) = frame.data_ref() {
                    watch.tee.kept.add(chunk);
                }
                // Readers that know the length may never poll again.
                match this.inner.is_end_stream() {
                    true => watch.complete(),
                    false => *this.watch = Some(watch),
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

// === impl Tee ===

impl Tee {
    pub(super) fn new(tell: oneshot::Sender<Real>, cap: usize) -> Self {
        Self { tell, kept: Kept::new(cap) }
    }

    pub(super) fn answered(self, head: &Parts) -> Watch {
        Watch { tee: self, status: head.status, headers: head.headers.clone() }
    }

    /// The copy classifies the failure by itself: the real call's own class is for others to find.
    pub(super) fn fail(self, error: &Error) {
        // The copy may have been cut meanwhile, and have no ear for it.
        let _ = self.tell.send(Real::Failed(error.said()));
    }
}

impl Watch {
    fn is_heard(&self) -> bool {
        !self.tee.tell.is_closed()
    }

    fn complete(self) {
        let Self { tee: Tee { tell, kept }, status, headers } = self;
        let _ = tell.send(Real::Answered { status, headers, kept });
    }
}
