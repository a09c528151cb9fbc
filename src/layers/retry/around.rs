use std::pin::pin;
use std::sync::Arc;

use super::layer::RetryLayer;
use super::refusals::Refusals;
use super::run::{NextAction, Run};
use super::wait::WaitOutcome;
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::terms::{Delivery, GaveUp};

/// Tries again, as code around a call: what a [`RetryLayer`](super::RetryLayer) makes of its
/// settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct RetryPattern {
    pub(super) settings: RetryLayer,
    pub(super) refusals: Arc<Refusals>,
}

impl RetryPattern {
    pub(super) fn new(settings: RetryLayer) -> Self {
        Self { settings, refusals: Arc::default() }
    }
}

impl Pattern for RetryPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let mut run = Run::begin(self, call, attempt);
        attempt.save(self.settings.config.body_cap);
        loop {
            {
                let mut running = pin!(Some(next.run(call, attempt)));
                let further_in = running.as_mut().as_pin_mut().expect("just begun");
                let held = attempt.head(further_in).await;
                let outcome = match run.judge(&held) {
                    NextAction::Return(why) => return run.last(held, why).hand_up().await,
                    NextAction::Wait(delay) => run.wait(delay, held).await,
                    NextAction::WaitForBudget { delay, class } => {
                        run.wait_for_budget(delay, class, held).await
                    }
                };
                let until = match outcome {
                    WaitOutcome::Retry => None,
                    WaitOutcome::TooLarge(until) => Some(until),
                    WaitOutcome::GiveUp(held, why) => return run.give_up(held, why).await,
                };
                // Drops the failed attempt, with all that it holds.
                running.set(None);
                if let Some(until) = until {
                    call.sleep_until(until).await;
                    if !call.facts().may_repeat() {
                        return Err(run.stopped());
                    }
                }
            }
            if let Some(refusal) = attempt.refusal() {
                return Err(run.finish(refusal, Some(GaveUp::Stopped)));
            }
            if !run.restart() {
                let error = Error::new(ErrorKind::Request, Delivery::NotSent);
                return Err(run.finish(error, Some(GaveUp::BodyNotKept)));
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}
