use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::StatusCode;

use super::layer::{ObserveLayer, What};
use crate::context::{AttemptState, CallTarget, Capture, Context};
use crate::event::{AttemptDetail, End, Event};
use crate::outcome::class_of_error;
use crate::pattern::{Attempt, Call, Flow, Wire};
use crate::terms::{Class, Delivery, Phase};

/// Tells the end once: of the body, by an error, or by being dropped before.
pub(super) struct Report<'a, W: Wire> {
    settings: &'a ObserveLayer,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    /// As it was at the beginning: a call may have several attempts.
    context: Context,
    began: Instant,
    /// What the head said, once it was here.
    head: Option<(Class, StatusCode)>,
    detail: AttemptDetail,
    /// What is kept of the attempt, where a subscriber wants it.
    capture: Option<Arc<Capture>>,
    is_told: bool,
}

impl<'a, W: Wire> Report<'a, W> {
    pub(super) fn begin(
        settings: &'a ObserveLayer,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Self {
        let is_attempt = settings.what == What::Attempt;
        let began = if is_attempt { call.now() } else { call.started() };
        attempt.request(|request| call.facts().target.get_or_init(|| CallTarget::of(request)));
        let context = attempt.context();
        settings.emitter.emit(Some(&context), || match settings.what {
            What::Call => Event::CallStarted,
            What::Attempt => Event::AttemptStarted,
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
        let (head, is_told) = (None, false);
        Self { settings, call, attempt, context, began, head, detail, capture, is_told }
    }

    pub(super) fn answered(&mut self, class: Class) {
        let Some(status) = self.attempt.status() else { return };
        self.head = Some((class, status));
        if let Some(capture) = &self.capture {
            self.attempt.answer(|head| capture.answered(head));
        }
        if self.settings.what == What::Attempt {
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

    /// It ended by itself.
    pub(super) fn end(&mut self, flow: Flow) -> Flow {
        let end = match (&flow, self.head) {
            (Ok(()), Some((class, status))) => {
                if let Some(capture) = &self.capture {
                    capture.received_all();
                }
                End::Answered { class, status, body_read: true, delivery: self.delivery(class) }
            }
            // There was no answer, which is told as it is when this is dropped.
            (Ok(()), None) => return flow,
            (Err(error), head) => {
                let of_head = head.map(|(class, _)| self.delivery(class));
                let class = class_of_error(&self.settings.classifier, error);
                End::Failed { class, delivery: of_head.unwrap_or_else(|| error.delivery()) }
            }
        };
        self.tell(end);
        flow
    }

    /// What is known of the provider's part, now that there is an answer.
    fn delivery(&self, class: Class) -> Delivery {
        let facts = self.call.facts();
        match self.settings.what {
            What::Attempt => Delivery::Answered,
            What::Call if facts.has_fallen_back() => facts.delivery(),
            // It is done, whatever came of earlier attempts.
            What::Call if class.is_success() => Delivery::Answered,
            What::Call => facts.delivery_of_answer(),
        }
    }

    /// What is known of it, if nobody waits for an answer any more.
    fn delivery_if_left(&self) -> Delivery {
        self.attempt.state(|state| match self.settings.what {
            What::Attempt if state.has_not_left() => Delivery::NotSent,
            What::Attempt => Delivery::Unknown,
            // What is further in was dropped before, and has noted how it ended.
            What::Call => state.delivery_if_left(),
        })
    }

    fn elapsed(&self) -> Duration {
        self.call.now().saturating_duration_since(self.began)
    }

    fn tell(&mut self, end: End) {
        self.is_told = true;
        if let (What::Attempt, Some(delivery)) = (self.settings.what, end.delivery()) {
            self.attempt.state(|state| state.merge_delivery(delivery));
        }
        self.detail.acquired = self.context.state().acquired();
        let (elapsed, detail) = (self.elapsed(), self.detail);
        let exchange = self.capture.as_ref().map(|capture| capture.so_far());
        let (context, exchange) = (Some(&self.context), exchange.as_ref());
        self.settings.emitter.emit_with(context, exchange, || match self.settings.what {
            What::Attempt => Event::AttemptFinished { end, elapsed, detail },
            What::Call => {
                let counted = self.attempt.state(AttemptState::attempts);
                let attempts = counted.unwrap_or_else(|| end.attempts());
                Event::CallFinished { end, elapsed, attempts }
            }
        });
    }

    /// How it ended, where it was dropped.
    fn end_of_dropped(&self) -> End {
        let of = |state: &AttemptState| {
            let is_cut = match self.settings.what {
                What::Call => state.is_call_cut(),
                What::Attempt => state.is_cut(),
            };
            (state.is_superseded(), is_cut, state.delivery_if_cut())
        };
        let (is_superseded, is_cut, delivery_if_cut) = match self.settings.what {
            What::Call => self.attempt.state(of),
            // Its own, which another may have followed by now.
            What::Attempt => of(self.context.state()),
        };
        match self.head {
            _ if is_superseded => End::Overtaken,
            // A limit further out cut it: nobody left anything by choice.
            Some((class, _)) if is_cut => {
                End::Failed { class: CUT, delivery: self.delivery(class) }
            }
            None if is_cut => End::Failed { class: CUT, delivery: delivery_if_cut },
            Some((class, status)) => {
                let delivery = self.delivery(class);
                End::Answered { class, status, body_read: false, delivery }
            }
            None => End::Abandoned { delivery: self.delivery_if_left() },
        }
    }
}

impl<W: Wire> Drop for Report<'_, W> {
    fn drop(&mut self) {
        if !self.is_told {
            let end = self.end_of_dropped();
            self.tell(end);
        }
    }
}

/// Only the call's deadline cuts from further out; nearer limits tell by an error.
const CUT: Class = Class::Timeout(Phase::Call);
