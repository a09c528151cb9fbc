//! Who is held, and who of them may go.

use std::time::Instant;

use super::config::Mode;
use super::gate::{Effects, Gate, Inner, Settings};
use super::hold::Waiter;
use super::state::{Ticket, Verdict};
use crate::rt::Rng;

impl Gate {
    /// Lets those go who are held, as far as they may.
    pub(super) fn serve(
        &self,
        inner: &mut Inner,
        settings: &Settings,
        now: Instant,
        rng: &Rng,
        effects: &mut Effects,
    ) {
        let passes_all = inner.mode(settings) == Mode::ReportOnly;
        while let Some(waiter) = match inner.machine.is_open() && !passes_all {
            true => inner.hold.next_probe(inner.machine.is_unsafe_turn(now)),
            false => inner.hold.first(),
        } {
            let ticket = match passes_all {
                true => Ticket::untracked(now),
                false => {
                    let config = &settings.config;
                    match inner.machine.admit(waiter.asker, false, config, now, rng) {
                        Ok(role) => self.ticket(inner, now, role),
                        Err(_) => break,
                    }
                }
            };
            inner.hold.remove(&waiter);
            effects.wakers.extend(waiter.grant(ticket));
        }
        if inner.hold.is_empty() {
            inner.machine.end_release();
        }
    }

    /// Lets those go whose time has come; when to look again, if somebody still waits.
    pub(super) fn look(&self, now: Instant, rng: &Rng) -> (Option<Instant>, Effects) {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if inner.machine.settle_answered(&settings.config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        let next = inner.hold.next_probe(inner.machine.is_unsafe_turn(now)).map(|waiter| {
            let machine = &inner.machine;
            machine.next_look(waiter.asker, &settings.config, now)
        });
        (inner.hold.is_watched, inner.hold.next_look) = (next.is_some(), next);
        (next, effects)
    }

    /// The task that looked after those who are held is gone.
    pub(super) fn unwatch(&self) {
        self.inner().hold.is_watched = false;
    }

    /// Whether somebody must look after those who are held; whoever asks does.
    pub(super) fn must_watch(&self, now: Instant) -> bool {
        let mut inner = self.inner();
        !inner.hold.is_empty() && inner.hold.must_watch(now)
    }

    /// One who is held leaves.
    pub(super) fn leave(&self, waiter: &Waiter, now: Instant, rng: &Rng) -> Effects {
        self.inner().hold.remove(waiter);
        match waiter.take() {
            // It could have gone: another goes in its place.
            Some(ticket) => self.record(ticket, Verdict::Nothing, now, rng),
            None => Effects::default(),
        }
    }

    /// How many are held.
    pub(super) fn held(&self) -> usize {
        self.inner().hold.len()
    }
}
