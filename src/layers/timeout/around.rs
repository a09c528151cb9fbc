use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::layer::TimeoutLayer;
use super::limits::{Due, Limits};
use crate::context::{AttemptLimit, UploadProgress};
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt;

/// Limits one attempt, as code around a call: what a [`TimeoutLayer`](super::TimeoutLayer) makes of
/// its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct TimeoutPattern {
    settings: TimeoutLayer,
}

impl Pattern for TimeoutPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let limit = self.limit(attempt);
        self.send_on(limit, call, attempt);
        let limits = Limits::new(&self.settings, limit, self.watch(call, attempt), call);
        let mut running = pin!(next.run(call, attempt));
        // The answer's head is there, and `validate` reads its body: the limits are for the head.
        let is_answered = || attempt.is_read_ahead();
        match limits.apply(attempt.head(running.as_mut()), is_answered).await {
            Ok(held) => held.hand_up().await,
            Err(due) => Err(self.time_out(due, call, attempt)),
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl TimeoutPattern {
    pub(super) fn new(settings: TimeoutLayer) -> Self {
        Self { settings }
    }

    /// The limit of the attempt: the layer's, or the request's own if that is shorter.
    fn limit<W: Wire>(&self, attempt: &Attempt<W>) -> Option<Duration> {
        let own = attempt.request(|request| request.extensions().get::<AttemptLimit>().copied());
        self.settings.attempt.into_iter().chain(own.flatten().map(|own| own.0)).min()
    }

    /// Tells the provider how many milliseconds are left for the attempt.
    fn send_on<W: Wire>(&self, limit: Option<Duration>, call: &Call, attempt: &Attempt<W>) {
        let Some(header) = &self.settings.send_on else { return };
        let limit = limit.map(|limit| rt::after(call.now(), limit));
        let Some(due) = limit.into_iter().chain(call.deadline()).min() else { return };
        let left = due.saturating_duration_since(call.now()).as_millis();
        let left = HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX));
        attempt.request(|request| request.headers_mut().insert(header, left));
    }

    /// Tracks the upload, if a limit depends on it.
    fn watch<W: Wire>(&self, call: &Call, attempt: &Attempt<W>) -> Option<UploadProgress> {
        let upload = self.settings.watches_upload().then(|| UploadProgress::new(call.now()))?;
        attempt.watch_upload(upload.clone());
        Some(upload)
    }

    fn time_out<W: Wire>(&self, due: Due, call: &Call, attempt: &Attempt<W>) -> Error {
        let Due { phase, limit, .. } = due;
        let delivery = attempt.state(|state| {
            state.mark_cut();
            state.attempt_if_cut()
        });
        let context = attempt.context();
        self.settings.emitter.emit(Some(&context), || Event::TimedOut { phase, limit });
        Error::timeout(phase, limit, delivery).with_context(&context).with_elapsed(call.elapsed())
    }
}
