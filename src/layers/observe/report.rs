use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use bytes::Buf;
use http::{Request, Response, StatusCode};
use http_body::Body;

use super::layer::{ObserveLayer, What};
use crate::body::{BodyEnd, OnBodyEnd};
use crate::context::{Capture, Context};
use crate::event::{AttemptDetail, End, Event};
use crate::outcome::{Error, class_of_error, class_of_response};
use crate::rt;
use crate::terms::{Class, Delivery, Fault, Phase};

/// Tells the end once: of the body, by an error, or by being dropped before an answer.
#[derive(Debug)]
pub struct Report {
    context: Context,
    settings: Arc<ObserveLayer>,
    began: Instant,
    /// What the head said, once it was here.
    head: Option<(Class, StatusCode)>,
    detail: AttemptDetail,
    /// What is kept of the attempt, where a subscriber wants it.
    capture: Option<Arc<Capture>>,
    /// Somebody waited for it: before that, nothing is sent.
    polled: bool,
    told: bool,
}

impl Report {
    pub(super) fn begin<B: Body>(
        context: Context,
        settings: Arc<ObserveLayer>,
        request: &Request<B>,
    ) -> Box<Self> {
        let began = match settings.what {
            What::Call => context.started(),
            What::Attempt => rt::now(),
        };
        settings.emitter.emit(Some(&context), || match settings.what {
            What::Call => Event::CallStarted,
            What::Attempt => Event::AttemptStarted,
        });
        let cap = settings.emitter.wants().body_cap().filter(|_| settings.what == What::Attempt);
        let capture = cap.map(|cap| Arc::new(Capture::begin(request, cap)));
        let sent = request.body().size_hint().exact();
        let detail = AttemptDetail { sent, ..AttemptDetail::default() };
        context.state().set_acquired(None);
        if settings.what == What::Attempt {
            context.call().set_noted();
        }
        if capture.is_some() {
            context.state().set_capture(capture.clone());
        }
        // Boxed, so that a call that nobody listens to isn't the larger for it.
        let (polled, told) = (false, false);
        Box::new(Self { context, settings, began, head: None, detail, capture, polled, told })
    }

    pub(super) fn polled(&mut self) {
        self.polled = true;
    }

    /// A part of the answer's body.
    pub(super) fn received(&mut self, data: &impl Buf) {
        self.detail.received += data.remaining() as u64;
        if let Some(capture) = &self.capture {
            capture.received(data.chunk());
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn answered<B>(mut self: Box<Self>, response: &mut Response<B>) -> Box<Self> {
        self.context.call().answered(response.status());
        let class = class_of_response(&self.settings.classifier, response);
        let status = response.status();
        self.head = Some((class, status));
        if let Some(capture) = &self.capture {
            capture.answered(response);
        }
        if self.settings.what == What::Attempt {
            let elapsed = rt::now().saturating_duration_since(self.began);
            self.detail.head = Some(elapsed);
            let answered = || Event::AttemptAnswered { class, status, elapsed };
            self.settings.emitter.emit(Some(&self.context), answered);
        }
        self
    }

    pub(super) fn failed(&mut self, error: &Error) {
        let class = class_of_error(&self.settings.classifier, error);
        self.tell(End::Failed { class, delivery: error.delivery() });
    }

    /// What is known of the provider's part, now that there is an answer.
    fn delivery(&self, class: Class) -> Delivery {
        let call = self.context.call();
        match self.settings.what {
            What::Attempt => Delivery::Answered,
            What::Call if call.has_fallen_back() => call.delivery(),
            // It is done, whatever came of earlier attempts.
            What::Call if class.is_success() => Delivery::Answered,
            What::Call => call.delivery_of_answer(),
        }
    }

    /// What is known of it, if nobody waits for an answer any more.
    fn delivery_if_left(&self) -> Delivery {
        let state = self.context.state();
        match self.settings.what {
            _ if !self.polled => Delivery::NotSent,
            What::Attempt if state.has_not_left() => Delivery::NotSent,
            What::Attempt => Delivery::Unknown,
            // What is further in was dropped before, and has noted how it ended.
            What::Call => state.delivery_if_left(),
        }
    }

    fn tell(&mut self, end: End) {
        self.told = true;
        if let (What::Attempt, Some(delivery)) = (self.settings.what, end.delivery()) {
            self.context.state().worsen(delivery);
        }
        let elapsed = rt::now().saturating_duration_since(self.began);
        self.detail.acquired = self.context.state().acquired();
        let detail = self.detail;
        let exchange = self.capture.as_ref().map(|capture| capture.so_far());
        let (context, exchange) = (Some(&self.context), exchange.as_ref());
        self.settings.emitter.emit_with(context, exchange, || match self.settings.what {
            What::Attempt => Event::AttemptFinished { end, elapsed, detail },
            What::Call => {
                let attempts = self.context.attempts_counted().unwrap_or_else(|| end.attempts());
                Event::CallFinished { end, elapsed, attempts }
            }
        });
    }
}

impl<E: 'static> OnBodyEnd<E> for Box<Report> {
    fn end(mut self, end: BodyEnd<'_, E>) {
        let Some((class, status)) = self.head else {
            return;
        };
        let end = match end {
            BodyEnd::Complete => {
                if let Some(capture) = &self.capture {
                    capture.received_all();
                }
                End::Answered { class, status, body_read: true, delivery: self.delivery(class) }
            }
            BodyEnd::Error(error) => {
                let ours = (error as &dyn Any).downcast_ref::<Error>();
                let delivery = self.delivery(class);
                let class = ours.map_or(Class::Transport(Fault::Body), |error| {
                    class_of_error(&self.settings.classifier, error)
                });
                End::Failed { class, delivery }
            }
        };
        self.tell(end);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let cut = self.context.was_cut();
        self.tell(match self.head {
            _ if self.context.state().is_overtaken() => End::Overtaken,
            // A limit further out cut it: nobody left anything by choice.
            Some((class, _)) if cut => End::Failed { class: CUT, delivery: self.delivery(class) },
            None if cut => {
                let delivery = self.context.state().delivery_if_cut();
                End::Failed { class: CUT, delivery }
            }
            Some((class, status)) => {
                let delivery = self.delivery(class);
                End::Answered { class, status, body_read: false, delivery }
            }
            None => End::Abandoned { delivery: self.delivery_if_left() },
        });
    }
}

/// Only the call's deadline cuts from further out; nearer limits tell by an error.
const CUT: Class = Class::Timeout(Phase::Call);
