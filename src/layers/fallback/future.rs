use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use http::Response;
use http_body::Body as HttpBody;
use pin_project_lite::pin_project;

use super::answer::{Answer, Later};
use super::body::ResponseBody;
use super::failed::{Facts, Failed, FellBack};
use super::layer::FallbackLayer;
use super::record::FallbackRecord;
use crate::body::{Body, discard};
use crate::context::{Context, Retries};
use crate::event::Event;
use crate::outcome::{BoxError, Error, class_of_error, class_of_response};
use crate::rt::{self, Timer, callback};

pin_project! {
    /// A call that has something to fall back on.
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        // Absent where failures stay failures.
        fallback: Option<Resources>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B> {
        /// The call is on its way.
        Calling { #[pin] future: F },
        /// It failed, and an async function is asked. Boxed, because few calls come to it.
        Asking { asking: Option<Box<Asking<B>>> },
    }
}

/// What a call was, and what is to be done if it fails.
struct Resources {
    facts: Facts,
    settings: Arc<FallbackLayer>,
}

struct Asking<B> {
    later: Later,
    timer: Pin<Box<Timer>>,
    due: Instant,
    note: Note,
    /// Kept in case that there is no answer.
    failure: Result<Response<B>, Error>,
}

/// What is to be told once there is an answer.
struct Note {
    record: Option<FallbackRecord>,
    mark: FellBack,
    context: Context,
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn new(future: F, facts: Option<Facts>, settings: &Arc<FallbackLayer>) -> Self {
        let fallback = facts.map(|facts| Resources { facts, settings: Arc::clone(settings) });
        Self { state: State::Calling { future }, fallback }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: HttpBody,
{
    type Output = Result<Response<ResponseBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let asked = match this.state.as_mut().project() {
                StateProjection::Calling { future } => {
                    let result = ready!(future.poll(cx));
                    let context = this.fallback.as_ref().map(|known| &known.facts.context);
                    let mut result = result.map_err(|error| Error::from_inner(error, context));
                    let Some(known) = this.fallback.as_ref() else {
                        return Poll::Ready(result.map(provided));
                    };
                    let failed = known.failed(&mut result).filter(|it| known.settings.answers(it));
                    match failed {
                        None => return Poll::Ready(result.map(provided)),
                        Some(failed) => known.ask(failed, result),
                    }
                }
                StateProjection::Asking { asking } => {
                    let waiting = asking.as_mut().expect("polled after it was ready");
                    let answer = ready!(waiting.poll(cx));
                    let asked = asking.take().expect("it was here a line ago");
                    let known = this.fallback.take().expect("who asks has something to fall back");
                    return Poll::Ready(known.give(answer, asked.note, asked.failure));
                }
            };
            let (answer, asking) = match asked {
                Asked::Now(answer) => (Some(answer), None),
                // The function takes its time; the failure is kept meanwhile.
                Asked::Later(asking) => (None, Some(asking)),
            };
            // The failed call is dropped here, and may ask how it ended. What cut it cuts nothing more.
            this.state.set(State::Asking { asking });
            if let Some(known) = this.fallback.as_ref() {
                known.facts.context.state().set_cut(false);
            }
            if let Some(answer) = answer {
                return Poll::Ready(answer);
            }
        }
    }
}

/// What came of asking for an answer.
enum Asked<B> {
    Now(Result<Response<ResponseBody<B>>, Error>),
    Later(Box<Asking<B>>),
}

// === impl Resources ===

impl Resources {
    /// The failure that a result is, if it is one.
    fn failed<B>(&self, result: &mut Result<Response<B>, Error>) -> Option<Failed> {
        let classifier = &self.settings.classifier;
        match result {
            Ok(response) => {
                let class = class_of_response(classifier, response);
                let failed = || Failed::answered(&self.facts, class, response.status());
                (!class.is_success()).then(failed)
            }
            Err(error) => {
                let class = class_of_error(classifier, error);
                Some(Failed::unanswered(&self.facts, class, error))
            }
        }
    }

    fn ask<B: HttpBody>(&self, failed: Failed, failure: Result<Response<B>, Error>) -> Asked<B> {
        let note = self.note(&failed);
        let answer = match &self.settings.answer {
            None => None,
            Some(Answer::Value(value)) => Some(Answer::value(value)),
            Some(Answer::Function(function)) => {
                callback::call(FALLBACK, || function(&failed)).flatten()
            }
            Some(Answer::Async(function)) => {
                let Some(later) = callback::call(FALLBACK, || function(failed)) else {
                    return Asked::Now(self.give(None, note, failure));
                };
                let (timer, due) = (Box::default(), rt::after(rt::now(), self.settings.limit));
                let timer = Box::into_pin(timer);
                return Asked::Later(Box::new(Asking { later, timer, due, note, failure }));
            }
        };
        Asked::Now(self.give(answer, note, failure))
    }

    fn note(&self, failed: &Failed) -> Note {
        let recorded = self.settings.recorder.is_some();
        let own_key = self.facts.own_key.as_ref();
        let record = || FallbackRecord::of(failed, own_key, self.settings.clock.wall());
        Note { record: recorded.then(record), mark: failed.mark(), context: failed.context.clone() }
    }

    /// The answer, marked, told and recorded; else the failure as it was.
    fn give<B: HttpBody>(
        &self,
        answer: Option<Response<Body>>,
        note: Note,
        failure: Result<Response<B>, Error>,
    ) -> Result<Response<ResponseBody<B>>, Error> {
        let (emitter, FellBack { class, delivery, .. }) = (&self.settings.emitter, note.mark);
        let retries = note.retries(&failure);
        let Some(mut response) = answer else {
            emitter.emit(Some(&note.context), || Event::FallbackFailed { class });
            return failure.map(provided);
        };
        if let Ok(unwanted) = failure {
            discard(unwanted.into_body());
        }
        note.context.state().worsen(delivery);
        note.context.call().set_fell_back();
        emitter.emit(Some(&note.context), || Event::FellBack { class, delivery });
        if let (Some(recorder), Some(record)) = (&self.settings.recorder, note.record) {
            let _ = callback::call("fallback recorder", || recorder.record(record));
        }
        response.extensions_mut().insert(note.mark);
        if let Some(retries) = retries {
            response.extensions_mut().insert(retries);
        }
        Ok(response.map(ResponseBody::of_fallback))
    }
}

// === impl Note ===

impl Note {
    /// What the attempts came to in whose place the answer is, if there were any.
    fn retries<B>(&self, failure: &Result<Response<B>, Error>) -> Option<Retries> {
        // Where nobody counts them, one request went out unless a layer refused it.
        let sent = u32::from(!self.mark.class.is_local());
        let attempts = self.context.attempts_counted().unwrap_or(sent);
        let gave_up = match failure {
            Ok(response) => response.extensions().get::<Retries>().and_then(|it| it.gave_up),
            Err(error) => error.gave_up(),
        };
        let (waited, earlier) = (self.context.call().waited(), self.mark.delivery);
        (attempts > 0).then_some(Retries { attempts, waited, gave_up, earlier })
    }
}

// === impl Asking ===

impl<B> Asking<B> {
    /// The work first, then the timer.
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Response<Body>>> {
        match callback::call(FALLBACK, || self.later.as_mut().poll(cx)) {
            Some(Poll::Pending) => {}
            Some(answer) => return answer,
            None => return Poll::Ready(None),
        }
        self.timer.as_mut().poll_at(self.due, cx).map(|()| None)
    }
}

fn provided<B>(response: Response<B>) -> Response<ResponseBody<B>> {
    response.map(ResponseBody::of_provider)
}

/// What a function that answers is called where it is told that it panicked.
const FALLBACK: &str = "fallback";
