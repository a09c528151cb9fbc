use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::size_with;
use crate::context::UploadProgress;
use crate::rt;

pin_project! {
    /// A request's body that notes when the provider took of it, where a limit asks for it.
    ///
    /// Where one does, large frames are handed on in pieces of 64 KiB, without a copy: a client that
    /// is given a whole body has it, however little of it was sent.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        watch: Option<Watch>,
    }
}

#[derive(Debug)]
struct Watch {
    progress: UploadProgress,
    /// What is left of the frame that is being handed on.
    rest: Bytes,
}

impl<B: Body> RequestBody<B> {
    /// A body that nobody watches.
    pub(crate) fn new(inner: B) -> Self {
        Self { inner, watch: None }
    }

    /// Notes in `progress` what is taken from here on.
    pub(crate) fn watched(self, progress: &UploadProgress) -> Self {
        if self.is_end_stream() {
            progress.ended(rt::now());
        }
        let watch = Some(Watch { progress: progress.clone(), rest: Bytes::new() });
        Self { watch, ..self }
    }
}

impl<B> RequestBody<B> {
    fn rest(&self) -> usize {
        self.watch.as_ref().map_or(0, |watch| watch.rest.len())
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let has_rest = this.watch.as_ref().is_some_and(|watch| !watch.rest.is_empty());
        let frame = match has_rest {
            true => None,
            false => {
                // For `Bytes`, this takes them as they are.
                let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                let frame = ready!(this.inner.as_mut().poll_frame(cx));
                Some(frame.map(|frame| frame.map(|frame| frame.map_data(whole))))
            }
        };
        let Some(watch) = this.watch else { return Poll::Ready(frame.flatten()) };
        let mut is_end = false;
        let frame = match frame {
            Some(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    watch.rest = data;
                    Some(Ok(watch.next_piece()))
                }
                Err(trailers) => {
                    // Nothing comes after them (RFC 9110, 6.5), and nobody asks.
                    is_end = true;
                    Some(Ok(trailers))
                }
            },
            Some(end_or_error) => end_or_error,
            None => Some(Ok(watch.next_piece())),
        };
        is_end |= frame.is_none() || watch.rest.is_empty() && this.inner.is_end_stream();
        match is_end {
            true => watch.progress.ended(rt::now()),
            false => watch.progress.handed_over(rt::now()),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest() == 0 && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        size_with(self.rest(), &self.inner.size_hint())
    }
}

impl Watch {
    fn next_piece(&mut self) -> Frame<Bytes> {
        Frame::data(self.rest.split_to(self.rest.len().min(PIECE)))
    }
}

/// Small beside what clients and systems hold back by themselves (hyper 400 KiB, Linux up to 4 MiB), so
/// that they bound what was handed over and not sent; and large beside the cost of a frame.
const PIECE: usize = 64 * 1024;
