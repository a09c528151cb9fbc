use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::outcome::{BoxError, Error};
use crate::rt::{self, Timer};

pin_project! {
    /// An answer's body, the provider's or one that was made here, with pauses if they are asked for.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        source: Source<B>,
        #[pin]
        timer: Timer,
        pause: Option<Duration>,
        // When the pause that was begun is over.
        due: Option<Instant>,
    }
}

pin_project! {
    #[project = SourceProjection]
    #[derive(Debug)]
    enum Source<B> {
        Real { #[pin] inner: B },
        Made { bytes: Bytes },
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn real(inner: B, pause: Option<Duration>) -> Self {
        Self::new(Source::Real { inner }, pause)
    }

    pub(super) fn made(bytes: Bytes, pause: Option<Duration>) -> Self {
        Self::new(Source::Made { bytes }, pause)
    }

    fn new(source: Source<B>, pause: Option<Duration>) -> Self {
        Self { source, timer: Timer::default(), pause, due: None }
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
        let is_over = self.is_end_stream();
        let this = self.project();
        if let Some(pause) = this.pause.filter(|_| !is_over) {
            let due = *this.due.get_or_insert_with(|| rt::after(rt::now(), pause));
            ready!(this.timer.poll_at(due, cx));
        }
        let frame = match this.source.project() {
            SourceProjection::Real { inner } => {
                let frame = ready!(inner.poll_frame(cx));
                frame.map(|frame| frame.map_err(|error| Error::from_body(error, None)))
            }
            SourceProjection::Made { bytes } => {
                let all = std::mem::take(bytes);
                (!all.is_empty()).then(|| Ok(Frame::data(all)))
            }
        };
        // The next pause begins when the reader asks again.
        *this.due = None;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Real { inner } => inner.is_end_stream(),
            Source::Made { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Real { inner } => inner.size_hint(),
            Source::Made { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
