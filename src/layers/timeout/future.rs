use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use http::Response;
use pin_project_lite::pin_project;

use super::layer::TimeoutLayer;
use crate::context::{Context, Upload, UploadProgress};
use crate::event::Event;
use crate::outcome::{BoxError, Error};
use crate::rt::{self, Timer};
use crate::terms::Phase;

pin_project! {
    /// An attempt under its limits.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        #[pin]
        timer: Timer,
        // When the attempt was first waited for.
        began: Option<Instant>,
        // A timer is armed, and said to be.
        marked: bool,
        context: Context,
        // How far the request's body has come, where a limit depends on it.
        upload: Option<UploadProgress>,
        settings: Arc<TimeoutLayer>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.context.call().unmark_timer(this.marked);
        }
    }
}

/// A limit that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: Instant,
    phase: Phase,
    limit: Duration,
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(
        inner: F,
        context: Context,
        upload: Option<UploadProgress>,
        settings: Arc<TimeoutLayer>,
    ) -> Self {
        Self {
            inner,
            timer: Timer::default(),
            began: None,
            marked: false,
            context,
            upload,
            settings,
        }
    }
}

impl<F, ResBody, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The work first, then the timer.
        match this.inner.poll(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(response)) => {
                this.context.call().unmark_timer(this.marked);
                this.context.call().answered(response.status());
                return Poll::Ready(Ok(response));
            }
            Poll::Ready(Err(error)) => {
                this.context.call().unmark_timer(this.marked);
                return Poll::Ready(Err(Error::from_inner(error, Some(this.context))));
            }
        }
        let began = *this.began.get_or_insert_with(rt::now);
        loop {
            let upload = this.upload.as_ref().map(UploadProgress::state);
            let due = Due::next(this.settings, this.context, began, upload);
            let look = Due::look_again(this.settings, upload);
            let Some(at) = due.map(|due| due.at).into_iter().chain(look).min() else {
                return Poll::Pending;
            };
            if due.is_some() {
                this.context.call().mark_timer(this.marked);
            }
            std::task::ready!(this.timer.as_mut().poll_at(at, cx));
            let upload = this.upload.as_ref().map(UploadProgress::state);
            let now_due = Due::next(this.settings, this.context, began, upload);
            if let Some(due) = now_due.filter(|due| due.at <= at) {
                this.context.call().unmark_timer(this.marked);
                return Poll::Ready(Err(due.error(this.settings, this.context)));
            }
            // The upload moved in the meantime: the limit did too.
        }
    }
}

// === impl Due ===

impl Due {
    /// The limit that passes next.
    fn next(
        settings: &TimeoutLayer,
        context: &Context,
        began: Instant,
        upload: Option<Upload>,
    ) -> Option<Self> {
        let from = |at, phase, limit: Option<Duration>| {
            limit.map(|limit| Self { at: rt::after(at, limit), phase, limit })
        };
        let deadline = context.deadline().map(|at| Self {
            at,
            phase: Phase::Call,
            limit: at.saturating_duration_since(context.started()),
        });
        let body = upload.and_then(|upload| match upload {
            // Other limits count this wait.
            Upload::Waiting => None,
            Upload::Moved(at) => from(at, Phase::Upload, settings.upload_stall),
            Upload::Done(at) => from(at, Phase::ResponseHead, settings.response_head),
        });
        let attempt = from(began, Phase::Attempt, settings.attempt);
        // The deadline comes first where two pass at once: it is the call's last word.
        [deadline, attempt, body].into_iter().flatten().min_by_key(|due| due.at)
    }

    /// The head's limit begins when the upload ends, of which nobody tells this task. It can't pass
    /// sooner than its length from now, so it is soon enough to look then.
    fn look_again(settings: &TimeoutLayer, upload: Option<Upload>) -> Option<Instant> {
        let limit = settings.response_head?;
        match upload? {
            Upload::Moved(_) => Some(rt::after(rt::now(), limit)),
            // The end of the wait is this task's to find.
            Upload::Waiting | Upload::Done(_) => None,
        }
    }

    fn error(self, settings: &TimeoutLayer, context: &Context) -> Error {
        let Self { phase, limit, .. } = self;
        context.state().set_cut(true);
        settings.emitter.emit(Some(context), || Event::TimedOut { phase, limit });
        Error::timeout(phase, limit, context.state().attempt_if_cut())
            .with_context(context)
            .with_elapsed(context.elapsed())
    }
}
