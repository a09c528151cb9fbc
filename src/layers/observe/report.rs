use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use http::{Response, StatusCode};

use super::layer::{ObserveLayer, What};
use crate::body::{BodyEnd, OnBodyEnd};
use crate::context::Context;
use crate::error::{Delivery, Error};
use crate::event::{End, Event};
use crate::outcome::{Class, Fault, Phase, class_of_error, class_of_response};
use crate::rt;

/// Tells the end once: of the body, by an error, or by being dropped before an answer.
#[derive(Debug)]
pub struct Report {
    context: Context,
    settings: Arc<ObserveLayer>,
    began: Instant,
    /// What the head said, once it was here.
    head: Option<(Class, StatusCode)>,
    told: bool,
}

impl Report {
    pub(super) fn begin(context: Context, settings: Arc<ObserveLayer>) -> Box<Self> {
        let began = match settings.what {
            What::Call => context.started(),
            What::Attempt => rt::now(),
        };
        settings.emitter.emit(Some(&context), || match settings.what {
            What::Call => Event::CallStarted,
            What::Attempt => Event::AttemptStarted,
        });
        // Boxed, so that a call that nobody listens to isn't the larger for it.
        Box::new(Self { context, settings, began, head: None, told: false })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn answered<B>(mut self: Box<Self>, response: &mut Response<B>) -> Box<Self> {
        self.context.call().answered(response.status());
        self.head =
            Some((class_of_response(&self.settings.classifier, response), response.status()));
        self
    }

    pub(super) fn failed(&mut self, error: &Error) {
        let class = class_of_error(&self.settings.classifier, error);
        self.tell(End::Failed { class, delivery: error.delivery() });
    }

    fn tell(&mut self, end: End) {
        self.told = true;
        let elapsed = rt::now().saturating_duration_since(self.began);
        self.settings.emitter.emit(Some(&self.context), || match self.settings.what {
            What::Attempt => Event::AttemptFinished { end, elapsed },
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
            BodyEnd::Complete => End::Answered { class, status, body_read: true },
            BodyEnd::Error(error) => {
                let ours = (error as &dyn Any).downcast_ref::<Error>();
                let class = ours.map_or(Class::Transport(Fault::Body), |error| {
                    class_of_error(&self.settings.classifier, error)
                });
                End::Failed { class, delivery: Delivery::Answered }
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
            _ if self.context.call().is_overtaken() => End::Overtaken,
            // A limit further out cut it: nobody left anything by choice.
            Some(_) if cut => End::Failed { class: CUT, delivery: Delivery::Answered },
            None if cut => {
                let delivery = self.context.call().delivery_if_cut();
                End::Failed { class: CUT, delivery }
            }
            Some((class, status)) => End::Answered { class, status, body_read: false },
            None => End::Abandoned,
        });
    }
}

/// Only the call's deadline cuts from further out; nearer limits tell by an error.
const CUT: Class = Class::Timeout(Phase::Call);
