//! Releases the calls that are held.

use std::time::Instant;

use super::config::Mode;
use super::held_queue::HeldCall;
use super::shared::{Effects, Inner, Settings, SharedBreaker};
use super::state::{Admission, AttemptOutcome};
use crate::rt::Rng;

impl SharedBreaker {
    /// Admits as many held calls as the state allows.
    pub(super) fn serve(
        &self,
        inner: &mut Inner,
        settings: &Settings,
        now: Instant,
        rng: &Rng,
        effects: &mut Effects,
    ) {
        let admits_all = inner.mode(settings) == Mode::ReportOnly;
        while let Some(call) = match inner.machine.is_open() && !admits_all {
            true => inner.held.next_probe(inner.machine.is_unsafe_due(now)),
            false => inner.held.first(),
        } {
            let admission = match admits_all {
                true => Admission::untracked(now),
                false => {
                    let config = &settings.config;
                    match inner.machine.admit(call.safety, false, config, now, rng) {
                        Ok(role) => self.admission(inner, now, role),
                        Err(_) => break,
                    }
                }
            };
            inner.held.remove(&call);
            effects.wakers.extend(call.grant(admission));
        }
        if inner.held.is_empty() {
            inner.machine.end_release();
        }
    }

    /// Admits the held calls that are due. Returns when to check again, if any are left.
    pub(super) fn release_due(&self, now: Instant, rng: &Rng) -> (Option<Instant>, Effects) {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if inner.machine.judge_answered_probes(&settings.config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        let next = inner.held.next_probe(inner.machine.is_unsafe_due(now)).map(|call| {
            let machine = &inner.machine;
            machine.next_check(call.safety, &settings.config, now)
        });
        (inner.held.has_task, inner.held.next_check) = (next.is_some(), next);
        (next, effects)
    }

    /// The task that released held calls is gone.
    pub(super) fn task_ended(&self) {
        self.inner().held.has_task = false;
    }

    /// Whether the caller must spawn the task that releases held calls.
    pub(super) fn needs_task(&self, now: Instant) -> bool {
        let mut inner = self.inner();
        !inner.held.is_empty() && inner.held.needs_task(now)
    }

    /// A held call leaves the queue.
    pub(super) fn leave(&self, held: &HeldCall, now: Instant, rng: &Rng) -> Effects {
        self.inner().held.remove(held);
        match held.take() {
            // It was admitted and will not be sent: another call may go.
            Some(admission) => self.record(admission, AttemptOutcome::Neutral, now, rng),
            None => Effects::default(),
        }
    }

    /// How many calls are held.
    pub(super) fn held(&self) -> usize {
        self.inner().held.len()
    }
}
