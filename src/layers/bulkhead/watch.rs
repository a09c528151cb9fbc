use std::future::Future;
use std::time::Instant;

use super::adaptive::{Sample, Signal};
use super::layer::BulkheadLayer;
use crate::event::Event;
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::terms::{Class, Phase};

/// One call as an adaptive limit sees it, from its place to its head.
#[derive(Debug)]
pub(super) struct Watch<'a, W: Wire> {
    settings: &'a BulkheadLayer,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    /// When it had its place.
    began: Instant,
    in_flight: u32,
    /// What it came to was told, or says nothing.
    is_over: bool,
}

impl<'a, W: Wire> Watch<'a, W> {
    /// Begins with the place, where anybody wants to know.
    pub(super) fn begin(
        settings: &'a BulkheadLayer,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Option<Self> {
        if !settings.places.is_adaptive() {
            return None;
        }
        let (began, in_flight) = (call.now(), settings.places.in_use());
        Some(Self { settings, call, attempt, began, in_flight, is_over: false })
    }

    /// A head came, or what stands in its place.
    pub(super) fn came_to<F: Future<Output = Flow>>(mut self, held: &Held<'_, W, F>) {
        let class = held.class(&self.settings.classifier);
        // A provider that fails needn't have too much to do: that is a breaker's matter.
        let fails = held.answer(|head| head.status.is_server_error()).unwrap_or_default();
        let now = self.call.now();
        let is_deadline = held.error().is_some() && class == Class::Timeout(Phase::Call);
        let is_ours = is_deadline && self.attempt.state(|state| state.ran_out_here(now));
        self.tell(signal(class).filter(|_| !fails && !is_ours));
    }

    fn tell(&mut self, signal: Option<Signal>) {
        self.is_over = true;
        // What was not sent says nothing of the provider.
        let sent = self.attempt.state(|state| (!state.is_waiting()).then(|| state.attempt_began()));
        let (Some(signal), Some(sent)) = (signal, sent) else { return };
        let Self { settings, in_flight, .. } = *self;
        let began = self.began.max(sent);
        let sample = Sample { began, ended: self.call.now(), in_flight, signal };
        if let Some((from, to)) = settings.places.learn(&sample) {
            let changed = || Event::ConcurrencyChanged { from, to };
            settings.emitter.emit(Some(&self.attempt.context()), changed);
        }
    }
}

impl<W: Wire> Drop for Watch<'_, W> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // A caller who went away, or was answered elsewhere, says nothing of the provider, nor does a
        // deadline that passed mostly in here.
        let now = self.call.now();
        let was_cut = self
            .attempt
            .state(|state| state.is_cut() && !state.is_superseded() && !state.ran_out_here(now));
        if was_cut {
            self.tell(Some(Signal::Overloaded));
        }
    }
}

/// What a result says of how much the provider can take; a failure for other reasons says nothing,
/// and the time it took is not that of an answer.
fn signal(class: Class) -> Option<Signal> {
    match class {
        Class::Throttled => Some(Signal::Overloaded),
        // A full pool is ours.
        Class::Timeout(phase) => (phase != Phase::Acquire).then_some(Signal::Overloaded),
        Class::ClientError => Some(Signal::Answered),
        class => class.is_success().then_some(Signal::Answered),
    }
}
