//! The promises of a circuit breaker, as far as events and settings tell.

use std::time::{Duration, Instant};

use outrigger::event::{BreakerState, End, Event};
use outrigger::outcome::{Class, Phase};

use super::{Broken, Promise};
use crate::terms::Breaker;
use crate::told::Told;

/// What was told of a breaker and of what it judges.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    state: BreakerState,
    /// Attempts that failed since the last success.
    row: u32,
    /// The last attempt that was let through while it was not closed.
    probe: Option<(Option<usize>, Instant)>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self { state: BreakerState::Closed, row: 0, probe: None }
    }

    /// It was forced, or has other settings: what was before tells nothing of what comes.
    pub(crate) fn forget(&mut self) {
        self.probe = None;
        self.row = u32::MAX / 2;
    }

    pub(crate) fn hear(&mut self, told: &Told, terms: Option<Breaker>) -> Result<(), Broken> {
        let Some(terms) = terms else { return Ok(()) };
        match told.event {
            // A 503 counts, whatever it asks for; a 429 may.
            Event::AttemptAnswered { class, .. }
                if class.is_failure() || class == Class::Throttled =>
            {
                self.row += 1;
            }
            Event::AttemptFinished { end: End::Answered { class, .. }, .. }
                if class.is_success() =>
            {
                self.row = 0;
            }
            // Where there was a head before that was a failure, it was counted with it; where it was
            // a success, the body broke.
            Event::AttemptFinished { end: End::Failed { .. } | End::Abandoned { .. }, .. } => {
                self.row += 1;
                self.give_up_probe(told);
            }
            Event::AttemptFinished { end: End::Overtaken, .. } => self.give_up_probe(told),
            Event::AttemptStarted if self.state != BreakerState::Closed => {
                return self.tried(told, terms);
            }
            Event::BreakerChanged { from, to } => return self.changed(from, to, terms),
            _ => {}
        }
        Ok(())
    }

    /// A probe that its caller dropped, or his deadline cut, gives its turn to the next.
    fn give_up_probe(&mut self, told: &Told) {
        let is_left = match told.event {
            Event::AttemptFinished { end: End::Failed { class, .. }, .. } => {
                class == Class::Timeout(Phase::Call)
            }
            _ => true,
        };
        if is_left && self.probe.is_some_and(|(call, _)| call == told.call) {
            self.probe = None;
        }
    }

    fn changed(
        &mut self,
        from: BreakerState,
        to: BreakerState,
        terms: Breaker,
    ) -> Result<(), Broken> {
        self.state = to;
        if (from, to) != (BreakerState::Closed, BreakerState::Open) {
            return Ok(());
        }
        Promise::OpensForAReason.holds(terms.row.is_none_or(|row| self.row >= row), || {
            format!("it opened after {} failures since the last success", self.row)
        })
    }

    fn tried(&mut self, told: &Told, terms: Breaker) -> Result<(), Broken> {
        let before = self.probe.replace((told.call, told.at));
        let Some((_, before)) = before else { return Ok(()) };
        let since = told.at - before;
        let so = terms.probes > 1 || since + ROUNDING >= terms.open[0];
        Promise::SparesTheProvider
            .holds(so, || format!("it was tried {since:?} after it had been tried before"))
    }
}

/// Timers go to the millisecond.
const ROUNDING: Duration = Duration::from_millis(2);
