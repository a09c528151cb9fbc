use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::around::asker;
use super::config::{BreakerConfig, Mode};
use super::gate::{Admission, Effects, Gate};
use super::layer::CircuitBreakerLayer;
use super::outage::Cause;
use super::state::{Asker, Change, Forced, Refusal, Ticket, Verdict};
use crate::context::Context;
use crate::event::{Emitter, Event};
use crate::outcome::{Error, SharedClassifier};
use crate::pattern::ownership::Ownership;
use crate::pattern::{Attempt, Call, Next, Wire};
use crate::rt::{self, Rng};
use crate::terms::{BreakerState, Rejection};

/// One gate with what it needs to speak to the world.
#[derive(Debug)]
pub(super) struct Breaker {
    pub(super) gate: Arc<Gate>,
    pub(super) emitter: Emitter,
    pub(super) classifier: SharedClassifier,
    rng: Rng,
    ownership: Arc<Ownership>,
}

impl Breaker {
    /// This gate, as the layer has it speak.
    pub(super) fn new(layer: &CircuitBreakerLayer, gate: Arc<Gate>) -> Self {
        Self {
            gate,
            emitter: layer.emitter.clone(),
            classifier: layer.classifier.clone(),
            rng: layer.rng.clone(),
            ownership: Arc::clone(&layer.ownership),
        }
    }

    /// With a gate that nobody else has.
    pub(super) fn alone(layer: &CircuitBreakerLayer, config: &BreakerConfig) -> Self {
        Self::new(layer, Arc::new(Gate::new(config.clone(), rt::now())))
    }

    /// Asks for a call that doesn't pass as usual: it may, waits until it may, or is rejected.
    pub(super) async fn ask<W: Wire>(
        self: &Arc<Self>,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Result<Ticket, Error> {
        let asker = attempt.request(|request| asker(request)).unwrap_or(Asker::Unsafe);
        let (admission, effects) = self.gate.admit(asker, call.now(), &self.rng);
        self.carry_out(effects, || Some(attempt.context()));
        match admission {
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::WouldReject(ticket) => {
                self.emitter.emit(Some(&attempt.context()), || Event::BreakerWouldReject);
                Ok(ticket)
            }
            Admission::Held(waiter, must_watch) => {
                // Others may need what is kept ready sooner.
                next.release();
                self.hold(waiter, must_watch, call, attempt).await
            }
            Admission::Rejected(refusal) => Err(self.refuse(&refusal, &attempt.context())),
        }
    }

    /// The rejection of a call that isn't let pass.
    pub(super) fn refuse(&self, refusal: &Refusal, context: &Context) -> Error {
        self.emitter.emit(Some(context), || Event::BreakerRejected);
        Error::rejected(Rejection::CircuitOpen, refusal.to_string())
            .with_retry_after(refusal.next)
            .with_context(context)
            .with_elapsed(context.elapsed())
    }

    pub(super) fn record<W: Wire>(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        now: Instant,
        attempt: &Attempt<W>,
    ) {
        let effects = self.gate.record(ticket, verdict, now, &self.rng);
        self.carry_out(effects, || Some(attempt.context()));
    }

    /// One who is held leaves.
    pub(super) fn leave<W: Wire>(&self, waiter: &super::hold::Waiter, attempt: &Attempt<W>) {
        let effects = self.gate.leave(waiter, rt::now(), &self.rng);
        self.carry_out(effects, || Some(attempt.context()));
    }

    pub(super) fn reconfigure(&self, config: BreakerConfig) {
        let effects = self.gate.reconfigure(config, rt::now(), &self.rng);
        self.carry_out(effects, || None);
    }

    /// Lets those go whose time has come; when to look again, if somebody still waits.
    pub(super) fn look(&self) -> Option<Instant> {
        let (next, effects) = self.gate.look(rt::now(), &self.rng);
        self.carry_out(effects, || None);
        next
    }

    /// Tells of what changed, and wakes those who may go. No lock is held.
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
        self.gate.state(rt::now())
    }
}

// === by a handle ===

impl Breaker {
    pub(super) fn force(&self, forced: Forced) {
        self.by_hand(self.gate.force(forced, rt::now(), &self.rng));
    }

    pub(super) fn open_by_hand(&self, time: Duration) {
        self.by_hand(self.gate.open_by_hand(time, rt::now(), &self.rng));
    }

    pub(super) fn reset(&self) {
        self.by_hand(self.gate.reset(rt::now(), &self.rng));
    }

    pub(super) fn override_mode(&self, mode: Mode) {
        self.by_hand(self.gate.set_mode(mode, rt::now(), &self.rng));
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
            Cause::Row { .. } => {
                let attempts = if failed == 1 { "attempt" } else { "attempts" };
                write!(f, "nothing has answered for {lasts:.1}s ({failed} {attempts} failed)")?;
            }
            Cause::Failures => write!(f, "too many calls failed, {lasts:.1}s ago")?,
            Cause::Slowness => write!(f, "too many calls were slow, {lasts:.1}s ago")?,
            Cause::Hand if next.is_none() => return write!(f, "forced open {lasts:.1}s ago"),
            Cause::Line => {
                return write!(
                    f,
                    "closed {lasts:.1}s ago; calls that were held before it go first"
                );
            }
            Cause::Hand => write!(f, "opened by hand {lasts:.1}s ago")?,
        }
        write!(f, "; the next try is in {:.1}s", next.unwrap_or_default().as_secs_f64())
    }
}
