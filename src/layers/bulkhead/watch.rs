use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};

use super::adaptive::{Sample, Signal};
use super::layer::BulkheadLayer;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{Error, class_of_error, class_of_response};
use crate::rt;
use crate::terms::{Class, Phase};

/// One call as an adaptive limit sees it, from its place to its head.
#[derive(Debug)]
pub(super) struct Watch {
    settings: Arc<BulkheadLayer>,
    context: Context,
    began: Instant,
    in_flight: u32,
    /// What it came to was told, or says nothing.
    is_over: bool,
}

impl Watch {
    /// Begins as the request goes out, where anybody wants to know.
    pub(super) fn begin<B>(
        settings: &Arc<BulkheadLayer>,
        request: &mut Request<B>,
    ) -> Option<Self> {
        if !settings.places.is_adaptive() {
            return None;
        }
        let context = Context::of(request.extensions_mut(), settings.emitter.integration());
        let (began, in_flight) = (rt::now(), settings.places.in_use());
        Some(Self { settings: Arc::clone(settings), context, began, in_flight, is_over: false })
    }

    pub(super) fn answered<B>(mut self, response: &mut Response<B>) {
        let class = class_of_response(&self.settings.classifier, response);
        // A provider that fails needn't have too much to do: that is a breaker's matter.
        self.tell(signal(class).filter(|_| !response.status().is_server_error()));
    }

    pub(super) fn failed(mut self, error: &Error) {
        let class = class_of_error(&self.settings.classifier, error);
        let is_deadline = class == Class::Timeout(Phase::Call);
        let is_ours = is_deadline && self.context.state().ran_out_here(rt::now());
        let signal = signal(class).filter(|_| !is_ours);
        self.tell(signal);
    }

    fn tell(&mut self, signal: Option<Signal>) {
        self.is_over = true;
        let Some(signal) = signal else { return };
        let Self { settings, context, began, in_flight, .. } = &*self;
        let sample = Sample { began: *began, ended: rt::now(), in_flight: *in_flight, signal };
        if let Some((from, to)) = settings.places.learn(&sample) {
            settings.emitter.emit(Some(context), || Event::ConcurrencyChanged { from, to });
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A caller who went away, or was answered elsewhere, says nothing of the provider, nor does a
        // deadline that passed mostly in here.
        let state = self.context.state();
        let is_ours = state.is_overtaken() || state.ran_out_here(rt::now());
        let was_cut = self.context.was_cut() && !is_ours;
        if !self.is_over && was_cut {
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
