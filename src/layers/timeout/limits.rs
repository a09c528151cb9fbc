use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::layer::TimeoutLayer;
use crate::context::{Moment, Upload, UploadProgress};
use crate::pattern::{Call, Either, either};
use crate::terms::Phase;

/// The limits of an attempt.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    settings: &'a TimeoutLayer,
    /// The whole attempt's.
    attempt: Option<Duration>,
    /// The upload's progress, if a limit depends on it.
    upload: Option<UploadProgress>,
    call: &'a Call,
}

/// A limit that is running.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    at: Moment,
    pub(super) phase: Phase,
    pub(super) limit: Duration,
}

impl<'a> Limits<'a> {
    pub(super) fn new(
        settings: &'a TimeoutLayer,
        attempt: Option<Duration>,
        upload: Option<UploadProgress>,
        call: &'a Call,
    ) -> Self {
        Self { settings, attempt, upload, call }
    }

    /// Runs `head` until a limit passes, which is the error. The attempt begins when this is first
    /// polled. If a limit passes while the answer's head is there, only the deadline counts from then on, if there
    /// is one.
    pub(super) async fn apply<F: Future>(
        self,
        head: F,
        is_answered: impl Fn() -> bool,
    ) -> Result<F::Output, Due> {
        let mut head = pin!(head);
        let due = match self.run(head.as_mut()).await {
            Ok(came) => return Ok(came),
            Err(due) => due,
        };
        let deadline = self.call.facts().due();
        // Without a deadline nothing else would end it.
        if due.phase == Phase::Call || deadline == Moment::NEVER || !is_answered() {
            return Err(due);
        }
        let came = self.call.until_moment(deadline, head).await;
        came.ok_or_else(|| self.fixed(deadline))
    }

    async fn run<F: Future>(&self, head: F) -> Result<F::Output, Due> {
        let call = self.call;
        let attempt = self.attempt.map(|limit| call.moment().after(limit));
        let fixed = call.facts().due().min(attempt.unwrap_or(Moment::NEVER));
        let Some(progress) = &self.upload else {
            let came = call.until_moment(fixed, head).await;
            return came.ok_or_else(|| self.fixed(fixed));
        };
        match either(head, poll_fn(|_| self.poll_upload(progress.state(), fixed))).await {
            Either::First(came) => Ok(came),
            Either::Second(due) => Err(due),
        }
    }

    /// The limit that doesn't depend on the upload.
    fn fixed(&self, at: Moment) -> Due {
        let call = self.call;
        match self.attempt {
            // If both pass at once, the error is the deadline's.
            Some(limit) if at < call.facts().due() => Due { at, phase: Phase::Attempt, limit },
            _ => Due { at, phase: Phase::Call, limit: Duration::from_nanos(at.0) },
        }
    }

    fn poll_upload(&self, upload: Upload, fixed: Moment) -> Poll<Due> {
        let from = |began, phase, limit: Option<Duration>| {
            limit.map(|limit| Due {
                at: self.call.facts().moment(began).after(limit),
                phase,
                limit,
            })
        };
        let body = match upload {
            // The other limits cover this wait.
            Upload::Waiting => None,
            Upload::Moved(at) => from(at, Phase::Upload, self.settings.upload_stall),
            Upload::Done(at) => from(at, Phase::ResponseHead, self.settings.response_head),
        };
        let due = body.filter(|body| body.at < fixed).unwrap_or_else(|| self.fixed(fixed));
        if due.at <= self.call.moment() {
            return Poll::Ready(due);
        }
        // Set at every poll, because the upload makes progress meanwhile.
        self.call.wake_at_moment(due.at);
        if let Some(at) = self.next_check(upload) {
            self.call.wake_at_moment(at);
        }
        Poll::Pending
    }

    /// `response_head` begins when the upload ends, which doesn't wake this task. It can't pass sooner
    /// than its length from now, so checking then is soon enough.
    fn next_check(&self, upload: Upload) -> Option<Moment> {
        let limit = self.settings.response_head?;
        match upload {
            // A limit of zero would be checked in a loop.
            Upload::Moved(_) => Some(self.call.moment().after(limit.max(MIN_CHECK_DELAY))),
            // The end of the wait wakes this task.
            Upload::Waiting | Upload::Done(_) => None,
        }
    }
}

const MIN_CHECK_DELAY: Duration = Duration::from_millis(1);
