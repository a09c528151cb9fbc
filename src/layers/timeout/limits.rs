use std::pin::pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use super::layer::TimeoutLayer;
use crate::context::{Upload, UploadProgress};
use crate::pattern::Call;
use crate::rt;
use crate::terms::Phase;

/// What may end an attempt.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    settings: &'a TimeoutLayer,
    /// How far the request's body has come, where a limit depends on it.
    upload: Option<UploadProgress>,
    /// When the attempt was first waited for.
    began: Option<Instant>,
}

/// A limit that is running.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    at: Instant,
    pub(super) phase: Phase,
    pub(super) limit: Duration,
}

impl<'a> Limits<'a> {
    pub(super) fn new(settings: &'a TimeoutLayer, upload: Option<UploadProgress>) -> Self {
        Self { settings, upload, began: None }
    }

    /// Ready once a limit has passed.
    pub(super) fn poll_due(&mut self, call: &Call, cx: &mut TaskContext<'_>) -> Poll<Due> {
        let upload = self.upload.as_ref().map(UploadProgress::state);
        let due = self.next(call, upload);
        if let Some(due) = due.filter(|due| due.at <= call.now()) {
            return Poll::Ready(due);
        }
        // Both are found anew at each poll, because the upload moves.
        for at in due.map(|due| due.at).into_iter().chain(self.look_again(call, upload)) {
            let _ = pin!(call.sleep_until(at)).poll(cx);
        }
        Poll::Pending
    }

    /// The limit that passes next.
    fn next(&mut self, call: &Call, upload: Option<Upload>) -> Option<Due> {
        let from = |at, phase, limit: Option<Duration>| {
            limit.map(|limit| Due { at: rt::after(at, limit), phase, limit })
        };
        let deadline = call.deadline().map(|at| Due {
            at,
            phase: Phase::Call,
            limit: at.saturating_duration_since(call.started()),
        });
        let body = upload.and_then(|upload| match upload {
            // Other limits count this wait.
            Upload::Waiting => None,
            Upload::Moved(at) => from(at, Phase::Upload, self.settings.upload_stall),
            Upload::Done(at) => from(at, Phase::ResponseHead, self.settings.response_head),
        });
        let attempt = self.settings.attempt.and_then(|limit| {
            let began = *self.began.get_or_insert_with(|| call.now());
            from(began, Phase::Attempt, Some(limit))
        });
        // The deadline comes first where two pass at once: it is the call's last word.
        [deadline, attempt, body].into_iter().flatten().min_by_key(|due| due.at)
    }

    /// The head's limit begins when the upload ends, of which nobody tells this task. It can't pass
    /// sooner than its length from now, so it is soon enough to look then.
    fn look_again(&self, call: &Call, upload: Option<Upload>) -> Option<Instant> {
        let limit = self.settings.response_head?;
        match upload? {
            Upload::Moved(_) => Some(rt::after(call.now(), limit)),
            // The end of the wait is this task's to find.
            Upload::Waiting | Upload::Done(_) => None,
        }
    }
}
