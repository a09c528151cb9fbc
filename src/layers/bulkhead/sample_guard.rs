use std::future::Future;
use std::time::Instant;

use super::adaptive::{Sample, Signal};
use super::layer::BulkheadLayer;
use crate::event::Event;
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::terms::{Class, Phase};

/// Takes one call's sample for an adaptive limit, from its permit to its head.
#[derive(Debug)]
pub(super) struct SampleGuard<'a, W: Wire> {
    settings: &'a BulkheadLayer,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    /// When it acquired its permit.
    began: Instant,
    in_flight: u32,
    /// The sample was recorded, or says nothing.
    is_over: bool,
}

impl<'a, W: Wire> SampleGuard<'a, W> {
    /// Begins with the permit, if the limit is adaptive.
    pub(super) fn begin(
        settings: &'a BulkheadLayer,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Option<Self> {
        if !settings.permits.is_adaptive() {
            return None;
        }
        let (began, in_flight) = (call.now(), settings.permits.in_use());
        Some(Self { settings, call, attempt, began, in_flight, is_over: false })
    }

    /// A head came, or an error instead of one.
    pub(super) fn on_head<F: Future<Output = Flow>>(mut self, held: &Held<'_, W, F>) {
        let class = held.class(&self.settings.classifier);
        // A server error need not mean overload: it is the circuit breaker's concern.
        let fails = held.answer(|head| head.status.is_server_error()).unwrap_or_default();
        let now = self.call.now();
        let is_deadline = held.error().is_some() && class == Class::Timeout(Phase::Call);
        let is_ours = is_deadline && self.attempt.state(|state| state.ran_out_here(now));
        self.record(signal(class).filter(|_| !fails && !is_ours));
    }

    fn record(&mut self, signal: Option<Signal>) {
        self.is_over = true;
        // A request that was not sent says nothing about the provider.
        let sent = self.attempt.state(|state| (!state.is_waiting()).then(|| state.attempt_began()));
        let (Some(signal), Some(sent)) = (signal, sent) else { return };
        let Self { settings, in_flight, .. } = *self;
        let began = self.began.max(sent);
        let sample = Sample { began, ended: self.call.now(), in_flight, signal };
        if let Some((from, to)) = settings.permits.learn(&sample) {
            let changed = || Event::ConcurrencyChanged { from, to };
            settings.emitter.emit(Some(&self.attempt.context()), changed);
        }
    }
}

impl<W: Wire> Drop for SampleGuard<'_, W> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // A dropped call or a superseded hedge says nothing about the provider, nor does a deadline that
        // passed mostly in our queues.
        let now = self.call.now();
        let was_cut = self
            .attempt
            .state(|state| state.is_cut() && !state.is_superseded() && !state.ran_out_here(now));
        if was_cut {
            self.record(Some(Signal::Overloaded));
        }
    }
}

/// What a result says about the provider's load. Other failures say nothing, and their time is not
/// that of an answer.
fn signal(class: Class) -> Option<Signal> {
    match class {
        Class::Throttled => Some(Signal::Overloaded),
        // A full pool says nothing about the provider.
        Class::Timeout(phase) => (phase != Phase::Acquire).then_some(Signal::Overloaded),
        Class::ClientError => Some(Signal::Answered),
        class => class.is_success().then_some(Signal::Answered),
    }
}
