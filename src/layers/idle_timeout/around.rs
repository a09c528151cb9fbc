use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::layer::IdleTimeoutLayer;
use crate::context::AttemptState;
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::terms::Phase;

/// Limits the time between frames of an answer's body, as code around a call: what a
/// [`IdleTimeoutLayer`](super::IdleTimeoutLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct IdleTimeoutPattern {
    settings: IdleTimeoutLayer,
}

impl IdleTimeoutPattern {
    pub(super) fn new(settings: IdleTimeoutLayer) -> Self {
        Self { settings }
    }

    /// The error of a body that stalled for too long, with its event.
    fn time_out<W: Wire>(&self, limit: Duration, call: &Call, attempt: &Attempt<W>) -> Error {
        attempt.state(AttemptState::mark_cut);
        let (phase, context) = (Phase::BodyIdle, attempt.context());
        self.settings.emitter.emit(Some(&context), || Event::TimedOut { phase, limit });
        Error::timeout(phase, limit, call.facts().delivery_of_answer())
            .with_context(&context)
            .with_elapsed(call.elapsed())
    }
}

impl Pattern for IdleTimeoutPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let mut running = pin!(next.run(call, attempt));
        let Some(limit) = self.settings.limit else { return running.await };
        let held = attempt.head(running.as_mut()).await;
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return flow,
        };
        loop {
            attempt.wanted().await;
            // The limit runs from when the reader asks.
            let due = call.moment().after(limit);
            match call.until_moment(due, attempt.frame(running.as_mut())).await {
                Some(None) => {}
                Some(Some(flow)) => return flow,
                None => return Err(self.time_out(limit, call, attempt)),
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}
