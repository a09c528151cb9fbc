use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Mode};
use super::gate::{Admission, Effects, Gate};
use super::held::Held;
use super::layer::CircuitBreakerLayer;
use super::outage::Cause;
use super::pass::Pass;
use super::state::{Asker, Change, Forced, Refusal, Ticket, Verdict};
use crate::context::Context;
use crate::event::{Emitter, Event};
use crate::outcome::{Error, SharedClassifier};
use crate::pattern::ownership::Ties;
use crate::rt::{self, Rng};
use crate::terms::{BreakerState, Rejection};

/// One gate with what it needs to speak to the world.
#[derive(Debug)]
pub(super) struct Breaker {
    pub(super) gate: Arc<Gate>,
    pub(super) emitter: Emitter,
    pub(super) classifier: SharedClassifier,
    rng: Rng,
    ties: Arc<Ties>,
}

/// What becomes of a call that comes to a breaker.
pub(super) enum Entry {
    Passed(Pass),
    Held(Held),
    Refused(Error),
}

impl Breaker {
    /// This gate, as the layer has it speak.
    pub(super) fn new(layer: &CircuitBreakerLayer, gate: Arc<Gate>) -> Self {
        Self {
            gate,
            emitter: layer.emitter.clone(),
            classifier: layer.classifier.clone(),
            rng: layer.rng.clone(),
            ties: Arc::clone(&layer.ties),
        }
    }

    /// With a gate that nobody else has.
    pub(super) fn alone(layer: &CircuitBreakerLayer, config: &BreakerConfig) -> Self {
        Self::new(layer, Arc::new(Gate::new(config.clone(), rt::now())))
    }

    /// A pass for one call, a place among those who wait, or the rejection.
    pub(super) fn admit(
        self: &Arc<Self>,
        context: Context,
        asker: impl FnOnce() -> Asker,
    ) -> Entry {
        if let Some(ticket) = self.gate.pass_closed(|| context.state().attempt_began()) {
            return Entry::Passed(Pass::new(Arc::clone(self), ticket, context));
        }
        let now = rt::now();
        let (admission, effects) = self.gate.admit(asker(), now, &self.rng);
        self.carry_out(effects, Some(&context));
        match admission {
            Admission::Admitted(ticket) => Entry::Passed(Pass::new(self.clone(), ticket, context)),
            Admission::WouldReject(ticket) => {
                self.emitter.emit(Some(&context), || Event::BreakerWouldReject);
                Entry::Passed(Pass::new(Arc::clone(self), ticket, context))
            }
            Admission::Held(waiter, must_watch) => {
                let held = Held::new(Arc::clone(self), waiter, context, now);
                if must_watch && !self.watch() {
                    // Nobody would wake it where there is no runtime.
                    return Entry::Refused(held.refuse());
                }
                Entry::Held(held)
            }
            Admission::Rejected(refusal) => Entry::Refused(self.refuse(&refusal, &context)),
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

    pub(super) fn record(&self, ticket: Ticket, verdict: Verdict, now: Instant, context: &Context) {
        let effects = self.gate.record(ticket, verdict, now, &self.rng);
        self.carry_out(effects, Some(context));
    }

    /// One who is held leaves.
    pub(super) fn leave(&self, waiter: &super::hold::Waiter, context: &Context) {
        let effects = self.gate.leave(waiter, rt::now(), &self.rng);
        self.carry_out(effects, Some(context));
    }

    pub(super) fn reconfigure(&self, config: BreakerConfig) {
        let effects = self.gate.reconfigure(config, rt::now(), &self.rng);
        self.carry_out(effects, None);
    }

    /// Lets those go whose time has come; when to look again, if somebody still waits.
    pub(super) fn look(&self) -> Option<Instant> {
        let (next, effects) = self.gate.look(rt::now(), &self.rng);
        self.carry_out(effects, None);
        next
    }

    /// Tells of what changed, and wakes those who may go. No lock is held.
    fn carry_out(&self, mut effects: Effects, context: Option<&Context>) {
        for Change { from, to } in effects.changes.drain(..) {
            self.emitter.emit(context, || Event::BreakerChanged { from, to });
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
            self.ties.tell(&self.emitter, || Event::BreakerChanged { from, to });
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
