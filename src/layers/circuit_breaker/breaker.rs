use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::around::safety;
use super::config::{BreakerConfig, Mode};
use super::layer::CircuitBreakerLayer;
use super::outage::Cause;
use super::shared::{Decision, Effects, SharedBreaker};
use super::state::{Admission, AttemptOutcome, CallSafety, Change, Forced, Refusal};
use crate::context::Context;
use crate::event::{Emitter, Event};
use crate::outcome::{Error, SharedClassifier};
use crate::pattern::ownership::Ownership;
use crate::pattern::{Attempt, Call, Next, Wire};
use crate::rt::{self, Rng};
use crate::terms::{BreakerState, Rejection};

/// The shared state with what it takes to report events.
#[derive(Debug)]
pub(super) struct Breaker {
    pub(super) shared: Arc<SharedBreaker>,
    pub(super) emitter: Emitter,
    pub(super) classifier: SharedClassifier,
    rng: Rng,
    ownership: Arc<Ownership>,
}

impl Breaker {
    /// The shared state with the layer's emitter and classifier.
    pub(super) fn new(layer: &CircuitBreakerLayer, shared: Arc<SharedBreaker>) -> Self {
        Self {
            shared,
            emitter: layer.emitter.clone(),
            classifier: layer.classifier.clone(),
            rng: layer.rng.clone(),
            ownership: Arc::clone(&layer.ownership),
        }
    }

    /// A breaker with a state of its own.
    pub(super) fn alone(layer: &CircuitBreakerLayer, config: &BreakerConfig) -> Self {
        Self::new(layer, Arc::new(SharedBreaker::new(config.clone(), rt::now())))
    }

    /// Admits a call while the breaker is not closed: at once, after it was held, or not at all.
    pub(super) async fn admit<W: Wire>(
        self: &Arc<Self>,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Result<Admission, Error> {
        let safety = attempt.request(|request| safety(request)).unwrap_or(CallSafety::Unsafe);
        let (decision, effects) = self.shared.admit(safety, call.now(), &self.rng);
        self.carry_out(effects, || Some(attempt.context()));
        match decision {
            Decision::Admitted(admission) => Ok(admission),
            Decision::WouldReject(admission) => {
                self.emitter.emit(Some(&attempt.context()), || Event::BreakerWouldReject);
                Ok(admission)
            }
            Decision::Held(held, needs_task) => {
                // A held call needs no ready service; another call may.
                next.release();
                self.hold(held, needs_task, call, attempt).await
            }
            Decision::Rejected(refusal) => Err(self.refuse(&refusal, &attempt.context())),
        }
    }

    /// The error for a call that is not admitted.
    pub(super) fn refuse(&self, refusal: &Refusal, context: &Context) -> Error {
        self.emitter.emit(Some(context), || Event::BreakerRejected);
        Error::rejected(Rejection::CircuitOpen, refusal.to_string())
            .with_retry_after(refusal.next)
            .with_context(context)
            .with_elapsed(context.elapsed())
    }

    pub(super) fn record<W: Wire>(
        &self,
        admission: Admission,
        outcome: AttemptOutcome,
        now: Instant,
        attempt: &Attempt<W>,
    ) {
        let effects = self.shared.record(admission, outcome, now, &self.rng);
        self.carry_out(effects, || Some(attempt.context()));
    }

    /// A held call leaves the queue.
    pub(super) fn leave<W: Wire>(&self, held: &super::held_queue::HeldCall, attempt: &Attempt<W>) {
        let effects = self.shared.leave(held, rt::now(), &self.rng);
        self.carry_out(effects, || Some(attempt.context()));
    }

    pub(super) fn reconfigure(&self, config: BreakerConfig) {
        let effects = self.shared.reconfigure(config, rt::now(), &self.rng);
        self.carry_out(effects, || None);
    }

    /// Admits the held calls that are due. Returns when to check again, if any are left.
    pub(super) fn release_due(&self) -> Option<Instant> {
        let (next, effects) = self.shared.release_due(rt::now(), &self.rng);
        self.carry_out(effects, || None);
        next
    }

    /// Emits the changes and wakes the calls that were admitted. No lock is held.
    fn carry_out(&self, mut effects: Effects, context: impl FnOnce() -> Option<Context>) {
        if !effects.changes.is_empty() {
            let context = context();
            for Change { from, to } in effects.changes.drain(..) {
                self.emitter.emit(context.as_ref(), || Event::BreakerChanged { from, to });
            }
        }
        effects.wake();
    }

    pub(super) fn state(&self) -> BreakerState {
        self.shared.state(rt::now())
    }
}

// === by a handle ===

impl Breaker {
    pub(super) fn force(&self, forced: Forced) {
        self.by_hand(self.shared.force(forced, rt::now(), &self.rng));
    }

    pub(super) fn open_manually(&self, time: Duration) {
        self.by_hand(self.shared.open_manually(time, rt::now(), &self.rng));
    }

    pub(super) fn reset(&self) {
        self.by_hand(self.shared.reset(rt::now(), &self.rng));
    }

    pub(super) fn override_mode(&self, mode: Mode) {
        self.by_hand(self.shared.set_mode(mode, rt::now(), &self.rng));
    }

    fn by_hand(&self, mut effects: Effects) {
        for Change { from, to } in effects.changes.drain(..) {
            self.ownership.notify(&self.emitter, || Event::BreakerChanged { from, to });
        }
        effects.wake();
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, lasts, failed, next } = *self;
        let lasts = lasts.as_secs_f64();
        match cause {
            Cause::Consecutive { .. } => {
                let attempts = if failed == 1 { "attempt" } else { "attempts" };
                write!(f, "nothing has answered for {lasts:.1}s ({failed} {attempts} failed)")?;
            }
            Cause::Failures => write!(f, "too many calls failed, {lasts:.1}s ago")?,
            Cause::Slowness => write!(f, "too many calls were slow, {lasts:.1}s ago")?,
            Cause::Manual if next.is_none() => return write!(f, "forced open {lasts:.1}s ago"),
            Cause::Releasing => {
                return write!(
                    f,
                    "closed {lasts:.1}s ago; calls that were held before it go first"
                );
            }
            Cause::Manual => write!(f, "opened by hand {lasts:.1}s ago")?,
        }
        write!(f, "; the next try is in {:.1}s", next.unwrap_or_default().as_secs_f64())
    }
}
