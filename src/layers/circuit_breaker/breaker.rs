use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::config::BreakerConfig;
use super::layer::CircuitBreakerLayer;
use super::pass::Pass;
use super::state::{Admission, Change, Forced, Machine, Ticket, Verdict};
use crate::context::Context;
use crate::error::Error;
use crate::event::{BreakerState, Emitter, Event};
use crate::outcome::{Rejection, SharedClassifier};
use crate::rt::{self, Rng};
use crate::ties::Ties;

/// One machine with what it needs to speak to the world.
#[derive(Debug)]
pub(super) struct Breaker {
    pub(super) machine: Arc<Machine>,
    pub(super) emitter: Emitter,
    pub(super) classifier: SharedClassifier,
    rng: Rng,
    ties: Arc<Ties>,
    epoch: Instant,
    last_used: AtomicU64,
}

impl Breaker {
    /// This machine, as the layer has it speak.
    pub(super) fn new(layer: &CircuitBreakerLayer, machine: Arc<Machine>) -> Self {
        Self {
            machine,
            emitter: layer.emitter.clone(),
            classifier: layer.classifier.clone(),
            rng: layer.rng.clone(),
            ties: Arc::clone(&layer.ties),
            epoch: rt::now(),
            last_used: AtomicU64::new(0),
        }
    }

    /// With a machine that nobody else has.
    pub(super) fn alone(layer: &CircuitBreakerLayer, config: &BreakerConfig) -> Self {
        Self::new(layer, Arc::new(Machine::new(config.clone(), rt::now())))
    }

    /// A pass for one call, or the rejection.
    pub(super) fn admit(self: &Arc<Self>, context: Context) -> Result<Pass, Error> {
        if let Some(ticket) = self.machine.pass_closed(|| context.call().attempt_began()) {
            return Ok(Pass::new(Arc::clone(self), ticket, context));
        }
        let now = rt::now();
        let (admission, change) = self.machine.admit(&context, now, &self.rng);
        self.tell(change, Some(&context));
        match admission {
            Admission::Admitted(ticket) => {
                if self.machine.state() == BreakerState::HalfOpen {
                    context.call().set_probing(true);
                }
                Ok(Pass::new(Arc::clone(self), ticket, context))
            }
            Admission::WouldReject(ticket) => {
                self.emitter.emit(Some(&context), || Event::BreakerWouldReject);
                Ok(Pass::new(Arc::clone(self), ticket, context))
            }
            Admission::Rejected { retry_after } => {
                self.emitter.emit(Some(&context), || Event::BreakerRejected);
                Err(rejection(retry_after)
                    .with_context(&context)
                    .with_elapsed(now.saturating_duration_since(context.started())))
            }
        }
    }

    pub(super) fn record(&self, ticket: Ticket, verdict: Verdict, now: Instant, context: &Context) {
        let change = self.machine.record(ticket, verdict, now, &self.rng);
        self.tell(change, Some(context));
    }

    /// By a handle.
    pub(super) fn force(&self, forced: Forced) {
        if let Some(Change { from, to }) = self.machine.force(forced, rt::now()) {
            self.ties.tell(&self.emitter, || Event::BreakerChanged { from, to });
        }
    }

    fn tell(&self, change: Option<Change>, context: Option<&Context>) {
        if let Some(Change { from, to }) = change {
            self.emitter.emit(context, || Event::BreakerChanged { from, to });
        }
    }

    /// Notes that a key is in use, so that it isn't evicted.
    pub(super) fn touch(&self, now: Instant) {
        let used = now.saturating_duration_since(self.epoch).as_millis() as u64;
        self.last_used.store(used, Ordering::Relaxed);
    }

    pub(super) fn idle_for(&self, now: Instant) -> Duration {
        let used = Duration::from_millis(self.last_used.load(Ordering::Relaxed));
        now.saturating_duration_since(self.epoch).saturating_sub(used)
    }
}

fn rejection(retry_after: Option<Duration>) -> Error {
    let error = match retry_after {
        Some(after) => Error::rejected(Rejection::CircuitOpen, format!("come back in {after:.1?}")),
        None => Error::rejected(Rejection::CircuitOpen, "forced open"),
    };
    error.with_retry_after(retry_after)
}
