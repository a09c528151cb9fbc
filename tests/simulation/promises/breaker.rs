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
    /// When one last failed.
    failure: Option<Instant>,
    /// The last attempt that was let through while it was not closed.
    probe: Option<Instant>,
    /// So many more may be let through at any time.
    unpaced: u32,
    /// When it was closed, by whatever.
    closed_at: Option<Instant>,
    /// When one went beside another that was not to be repeated.
    beside: Option<Instant>,
    /// Who queued further in: when such a one passed the breaker isn't told.
    queued: Vec<usize>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self {
            state: BreakerState::Closed,
            row: 0,
            failure: None,
            probe: None,
            unpaced: 0,
            closed_at: None,
            beside: None,
            queued: Vec::new(),
        }
    }

    /// It was forced, or has other settings: what was before tells nothing of what comes.
    pub(crate) fn forget(&mut self) {
        self.unpaced = UNPACED;
        self.row = u32::MAX / 2;
    }

    pub(crate) fn hear(&mut self, told: &Told, terms: Option<Breaker>) -> Result<(), Broken> {
        let Some(terms) = terms else { return Ok(()) };
        match told.event {
            // A 503 counts, whatever it asks for; a 429 may.
            Event::AttemptAnswered { class, .. }
                if class.is_failure() || class == Class::Throttled =>
            {
                self.failed(told);
            }
            Event::AttemptFinished { end, elapsed, detail } => {
                // A success is one from its head on, however late its body is read.
                let since_head = elapsed - detail.head.unwrap_or(elapsed);
                self.ended(told, end, told.at - since_head);
            }
            Event::AttemptStarted if self.state != BreakerState::Closed => {
                return self.tried(told, terms);
            }
            Event::RateLimitQueued { .. } | Event::BulkheadQueued => self.queued.extend(told.call),
            // A turn that was taken and not used is the next one's.
            Event::BulkheadRejected { .. }
            | Event::RateLimitRejected { .. }
            | Event::CallFinished { end: End::Abandoned { .. }, .. } => self.unpaced = UNPACED,
            Event::BreakerChanged { from, to } => {
                if to == BreakerState::Closed {
                    self.closed_at = Some(told.at);
                }
                return self.changed(from, to, terms);
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, told: &Told, end: End, head: Instant) {
        match end {
            End::Answered { class, .. } if class.is_success() => {
                if self.failure.is_none_or(|failure| failure <= head) {
                    self.row = 0;
                }
            }
            End::Answered { .. } => {}
            // Where there was a head before that was a failure, it was counted with it; where it was
            // a success, the body broke.
            End::Failed { class, .. } if class != Class::Timeout(Phase::Call) => self.failed(told),
            // What its caller dropped, or his deadline cut, gives its turn to the next.
            _ => {
                self.failed(told);
                self.unpaced = UNPACED;
            }
        }
    }

    fn failed(&mut self, told: &Told) {
        (self.row, self.failure) = (self.row + 1, Some(told.at));
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
        let before = self.probe.replace(told.at);
        let waited = self.queued.iter().position(|call| Some(*call) == told.call);
        if let Some(at) = waited {
            self.queued.swap_remove(at);
            self.unpaced = UNPACED;
        }
        let paced = self.unpaced == 0;
        self.unpaced = self.unpaced.saturating_sub(1);
        // Who was let go in the instant in which somebody closed it goes, whatever it is since.
        let paced = paced && self.closed_at != Some(told.at);
        let Some(before) = before.filter(|_| paced) else { return Ok(()) };
        let since = told.at - before;
        let mut so = terms.probes > 1 || since + ROUNDING >= terms.open[0];
        // Now and then, one that must not be repeated goes beside the others.
        let rarely = |last: Instant| told.at - last + ROUNDING >= terms.open[0] * BESIDE;
        if !so && self.beside.is_none_or(rarely) {
            (so, self.beside) = (true, Some(told.at));
        }
        Promise::SparesTheProvider
            .holds(so, || format!("it was tried {since:?} after it had been tried before"))
    }
}

/// Timers go to the millisecond.
const ROUNDING: Duration = Duration::from_millis(2);
/// After so many open times.
const BESIDE: u32 = 9;
/// Who takes a turn that was given back, and whose turn it is next.
const UNPACED: u32 = 2;
