use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::StatusCode;

use super::layer::{ObserveLayer, Observed};
use crate::context::{AttemptState, CallTarget, Capture, Context};
use crate::event::{AttemptDetail, End, Event};
use crate::outcome::class_of_error;
use crate::pattern::{Attempt, Call, Flow, Wire};
use crate::terms::{Class, Delivery, Phase};

/// Emits the end once: of the body, by an error, or by being dropped before.
pub(super) struct EndGuard<'a, W: Wire> {
    settings: &'a ObserveLayer,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    /// The context at the beginning: a call may have several attempts.
    context: Context,
    began: Instant,
    /// The head's class and status, once it has come.
    head: Option<(Class, StatusCode)>,
    detail: AttemptDetail,
    /// The recorded exchange, if a subscriber wants it.
    capture: Option<Arc<Capture>>,
    is_emitted: bool,
}

impl<'a, W: Wire> EndGuard<'a, W> {
    pub(super) fn begin(
        settings: &'a ObserveLayer,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Self {
        let is_attempt = settings.what == Observed::Attempt;
        let began = if is_attempt { call.now() } else { call.started() };
        attempt.request(|request| call.facts().target.get_or_init(|| CallTarget::of(request)));
        let context = attempt.context();
        settings.emitter.emit(Some(&context), || match settings.what {
            Observed::Call => Event::CallStarted,
            Observed::Attempt => Event::AttemptStarted,
        });
        let cap = settings.emitter.interest().body_cap().filter(|_| is_attempt);
        let capture =
            cap.and_then(|cap| attempt.request(|request| Arc::new(Capture::begin(request, cap))));
        if is_attempt {
            call.facts().set_noted();
        }
        if capture.is_some() {
            context.state().set_capture(capture.clone());
        }
        let detail = AttemptDetail { sent: attempt.request_length(), ..AttemptDetail::default() };
        let (head, is_emitted) = (None, false);
        Self { settings, call, attempt, context, began, head, detail, capture, is_emitted }
    }

    pub(super) fn answered(&mut self, class: Class) {
        let Some(status) = self.attempt.status() else { return };
        self.head = Some((class, status));
        if let Some(capture) = &self.capture {
            self.attempt.answer(|head| capture.answered(head));
        }
        if self.settings.what == Observed::Attempt {
            let elapsed = self.elapsed();
            self.detail.head = Some(elapsed);
            let answered = || Event::AttemptAnswered { class, status, elapsed };
            self.settings.emitter.emit(Some(&self.context), answered);
        }
    }

    /// A part of the answer's body may have come.
    pub(super) fn received(&mut self) {
        let Self { attempt, detail, capture, .. } = self;
        attempt.last_frame(|frame| {
            let Some(data) = frame.data_ref() else { return };
            detail.received += data.remaining() as u64;
            if let Some(capture) = capture {
                capture.received(data.chunk());
            }
        });
    }

    /// The call or attempt has ended.
    pub(super) fn end(&mut self, flow: Flow) -> Flow {
        let end = match (&flow, self.head) {
            (Ok(()), Some((class, status))) => {
                let class = self.attempt.class_at_end().unwrap_or(class);
                if let Some(capture) = &self.capture {
                    capture.received_all();
                }
                End::Answered { class, status, body_read: true, delivery: self.delivery(class) }
            }
            // There was no answer; the drop emits the end.
            (Ok(()), None) => return flow,
            (Err(error), head) => {
                let of_head = head.map(|(class, _)| self.delivery(class));
                let class = class_of_error(&self.settings.classifier, error);
                End::Failed { class, delivery: of_head.unwrap_or_else(|| error.delivery()) }
            }
        };
        self.emit(end);
        flow
    }

    /// The delivery, once there is an answer.
    fn delivery(&self, class: Class) -> Delivery {
        match self.settings.what {
            Observed::Attempt => Delivery::Answered,
            Observed::Call => self.call.facts().delivery_at_end(class.is_success()),
        }
    }

    /// The delivery to report if the caller dropped the call.
    fn delivery_if_left(&self) -> Delivery {
        self.attempt.state(|state| match self.settings.what {
            Observed::Attempt if state.has_not_left() => Delivery::NotSent,
            Observed::Attempt => Delivery::Unknown,
            // Layers further in were dropped before, and have recorded how they ended.
            Observed::Call => state.delivery_if_left(),
        })
    }

    fn elapsed(&self) -> Duration {
        self.call.now().saturating_duration_since(self.began)
    }

    fn emit(&mut self, end: End) {
        self.is_emitted = true;
        if let (Observed::Attempt, Some(delivery)) = (self.settings.what, end.delivery()) {
            self.attempt.state(|state| state.merge_delivery(delivery));
        }
        self.detail.acquired = self.context.state().acquired();
        let (elapsed, detail) = (self.elapsed(), self.detail);
        let exchange = self.capture.as_ref().map(|capture| capture.so_far());
        let (context, exchange) = (Some(&self.context), exchange.as_ref());
        self.settings.emitter.emit_with(context, exchange, || match self.settings.what {
            Observed::Attempt => Event::AttemptFinished { end, elapsed, detail },
            Observed::Call => {
                let counted = self.attempt.state(AttemptState::attempts);
                let attempts = counted.unwrap_or_else(|| end.attempts());
                Event::CallFinished { end, elapsed, attempts }
            }
        });
    }

    /// How it ended, if it was dropped.
    fn end_of_dropped(&self) -> End {
        let of = |state: &AttemptState| {
            let is_cut = match self.settings.what {
                Observed::Call => state.is_call_cut(),
                Observed::Attempt => state.is_cut(),
            };
            (state.is_superseded(), is_cut, state.delivery_if_cut())
        };
        let (is_superseded, is_cut, delivery_if_cut) = match self.settings.what {
            Observed::Call => self.attempt.state(of),
            // Its own state: another attempt may have begun by now.
            Observed::Attempt => of(self.context.state()),
        };
        match self.head {
            _ if is_superseded => End::Overtaken,
            // A time limit further out dropped it, and not the caller.
            Some((class, _)) if is_cut => {
                End::Failed { class: DEADLINE_PASSED, delivery: self.delivery(class) }
            }
            None if is_cut => End::Failed { class: DEADLINE_PASSED, delivery: delivery_if_cut },
            Some((class, status)) => {
                let class = self.attempt.class_at_end().unwrap_or(class);
                let delivery = self.delivery(class);
                End::Answered { class, status, body_read: false, delivery }
            }
            None => End::Abandoned { delivery: self.delivery_if_left() },
        }
    }
}

impl<W: Wire> Drop for EndGuard<'_, W> {
    fn drop(&mut self) {
        if !self.is_emitted {
            let end = self.end_of_dropped();
            self.emit(end);
        }
    }
}

/// Only the call's deadline drops it from further out; nearer limits return an error.
const DEADLINE_PASSED: Class = Class::Timeout(Phase::Call);
