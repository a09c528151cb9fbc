use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::layer::IdleTimeoutLayer;
use crate::context::Context;
use crate::error::{BoxError, Delivery, Error};
use crate::event::Event;
use crate::outcome::Phase;
use crate::rt::{self, Timer};

pin_project! {
    /// An answer's body, each of whose frames must come in time.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        #[pin]
        timer: Timer,
        // Since when the reader hears nothing.
        silent_since: Option<Instant>,
        // A timer is armed that ends no later than the deadline, and said to be.
        marked: bool,
        context: Context,
        settings: Arc<IdleTimeoutLayer>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.context.call().unmark_timer(this.marked);
        }
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, context: Context, settings: Arc<IdleTimeoutLayer>) -> Self {
        let (timer, silent_since, marked) = (Timer::default(), None, false);
        Self { inner, timer, silent_since, marked, context, settings }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Error>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.inner.poll_frame(cx) {
            *this.silent_since = None;
            this.context.call().unmark_timer(this.marked);
            let ours = |error| Error::from_body(error, Some(this.context));
            return Poll::Ready(frame.map(|frame| frame.map_err(ours)));
        }
        let Some(limit) = this.settings.limit else {
            return Poll::Pending;
        };
        let since = *this.silent_since.get_or_insert_with(rt::now);
        let due = rt::after(since, limit);
        if this.context.deadline().is_none_or(|deadline| due <= deadline) {
            this.context.call().mark_timer(this.marked);
        }
        std::task::ready!(this.timer.poll_at(due, cx));
        this.context.call().unmark_timer(this.marked);
        let phase = Phase::BodyIdle;
        this.context.call().set_cut(true);
        this.settings.emitter.emit(Some(this.context), || Event::TimedOut { phase, limit });
        let error = Error::timeout(phase, limit, Delivery::Answered).with_context(this.context);
        Poll::Ready(Some(Err(error.with_elapsed(this.context.elapsed()))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
