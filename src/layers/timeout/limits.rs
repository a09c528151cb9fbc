use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use super::layer::TimeoutLayer;
use crate::context::{Moment, Upload, UploadProgress};
use crate::pattern::{Call, Either, either};
use crate::terms::Phase;

/// What may end an attempt.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    settings: &'a TimeoutLayer,
    /// How far the request's body has come, where a limit depends on it.
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
        upload: Option<UploadProgress>,
        call: &'a Call,
    ) -> Self {
        Self { settings, upload, call }
    }

    /// Runs `head` until a limit passes, which is the error. The attempt begins when this is first
    /// polled.
    pub(super) async fn apply<F: Future>(self, head: F) -> Result<F::Output, Due> {
        let call = self.call;
        let attempt = self.settings.attempt.map(|limit| call.moment().after(limit));
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
        match self.settings.attempt {
            // Where two pass at once, the deadline is the call's last word.
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
            // Other limits count this wait.
            Upload::Waiting => None,
            Upload::Moved(at) => from(at, Phase::Upload, self.settings.upload_stall),
            Upload::Done(at) => from(at, Phase::ResponseHead, self.settings.response_head),
        };
        let due = body.filter(|body| body.at < fixed).unwrap_or_else(|| self.fixed(fixed));
        if due.at <= self.call.moment() {
            return Poll::Ready(due);
        }
        // Said at every poll, because the upload moves meanwhile.
        self.call.wake_at_moment(due.at);
        if let Some(at) = self.look_again(upload) {
            self.call.wake_at_moment(at);
        }
        Poll::Pending
    }

    /// The head's limit begins when the upload ends, of which nobody tells this task. It can't pass
    /// sooner than its length from now, so it is soon enough to look then.
    fn look_again(&self, upload: Upload) -> Option<Moment> {
        let limit = self.settings.response_head?;
        match upload {
            // A limit of nothing would be looked at without end.
            Upload::Moved(_) => Some(self.call.moment().after(limit.max(SHORTEST))),
            // The end of the wait is this task's to find.
            Upload::Waiting | Upload::Done(_) => None,
        }
    }
}

const SHORTEST: Duration = Duration::from_millis(1);
