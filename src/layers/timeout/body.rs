use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::context::{Context, Upload};
use crate::rt;

pin_project! {
    /// A request's body that notes when the provider took of it, where a limit asks for it.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        watched: Option<Context>,
    }
}

impl<B: Body> RequestBody<B> {
    pub(super) fn new(inner: B, watched: Option<Context>) -> Self {
        if let Some(context) = watched.as_ref().filter(|_| inner.is_end_stream()) {
            context.call().set_upload(Upload::Done(rt::now()));
        }
        Self { inner, watched }
    }
}

impl<B> RequestBody<B> {
    /// The body itself, with nothing around it, where nobody watches it.
    pub(crate) fn into_unwatched(self) -> Result<B, Self> {
        match self.watched {
            None => Ok(self.inner),
            Some(_) => Err(self),
        }
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(context) = this.watched {
            let done = frame.is_none() || this.inner.is_end_stream();
            let upload = if done { Upload::Done } else { Upload::Moved };
            context.call().set_upload(upload(rt::now()));
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
