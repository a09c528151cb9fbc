use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;

pin_project! {
    /// A body whose last byte is a frame of its own.
    ///
    /// tower-http takes gzip to end with its first member (RFC 1952, 2.2) and drops what else came in
    /// the same frame without a word, but reports what comes in a later one. So an answer with more
    /// than one member fails, in place of being cut off. Nothing waits for that byte: where a sender
    /// flushes, it is one without content (RFC 1951, 3.2.4).
    pub(super) struct LastByteApart<B> {
        #[pin]
        body: B,
        // The last byte so far.
        last: Option<Bytes>,
        // What comes next.
        next: Option<Frame<Bytes>>,
        is_over: bool,
    }
}

impl<B> LastByteApart<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, last: None, next: None, is_over: false }
    }
}

impl<B: Body<Data = Bytes>> Body for LastByteApart<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        loop {
            if let Some(next) = this.next.take() {
                return Poll::Ready(Some(Ok(next)));
            }
            if *this.is_over {
                return Poll::Ready(None);
            }
            match ready!(this.body.as_mut().poll_frame(cx)).transpose()? {
                Some(frame) => match frame.into_data() {
                    Ok(data) if data.is_empty() => continue,
                    Ok(mut data) => {
                        let last = this.last.replace(data.split_off(data.len() - 1));
                        *this.next = (!data.is_empty()).then(|| Frame::data(data));
                        if let Some(last) = last {
                            return Poll::Ready(Some(Ok(Frame::data(last))));
                        }
                    }
                    Err(trailers) => *this.next = Some(trailers),
                },
                None => *this.is_over = true,
            }
            let is_end = *this.is_over || this.next.as_ref().is_some_and(Frame::is_trailers);
            if let Some(last) = this.last.take_if(|_| is_end) {
                return Poll::Ready(Some(Ok(Frame::data(last))));
            }
        }
    }
}
