use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::context::Context;
use crate::event::{Emitter, Event};
use crate::outcome::{BoxError, Error};
use crate::rt::{self, Timer};
use crate::terms::Phase;

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
        watch: Watch,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.watch.context.call().unmark_timer(this.marked);
        }
    }
}

/// Whose silence is timed, and for how long.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) context: Context,
    pub(super) limit: Option<Duration>,
    pub(super) emitter: Emitter,
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, watch: Watch) -> Self {
        let (timer, silent_since, marked) = (Timer::default(), None, false);
        Self { inner, timer, silent_since, marked, watch }
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
            this.watch.context.call().unmark_timer(this.marked);
            let ours = |error| Error::from_body(error, Some(&this.watch.context));
            return Poll::Ready(frame.map(|frame| frame.map_err(ours)));
        }
        let Some(limit) = this.watch.limit else {
            return Poll::Pending;
        };
        let since = *this.silent_since.get_or_insert_with(rt::now);
        let due = rt::after(since, limit);
        if this.watch.context.deadline().is_none_or(|deadline| due <= deadline) {
            this.watch.context.call().mark_timer(this.marked);
        }
        std::task::ready!(this.timer.poll_at(due, cx));
        this.watch.context.call().unmark_timer(this.marked);
        let phase = Phase::BodyIdle;
        this.watch.context.state().set_cut(true);
        this.watch.emitter.emit(Some(&this.watch.context), || Event::TimedOut { phase, limit });
        let error = Error::timeout(phase, limit, this.watch.context.call().delivery_of_answer())
            .with_context(&this.watch.context);
        Poll::Ready(Some(Err(error.with_elapsed(this.watch.context.elapsed()))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
