use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::config::{Excess, Learning};
use super::layer::RateLimitLayer;
use super::limiter::{Limiter, Rejected, Turn};
use super::queue::{Step, Ticket};
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{BoxError, Error, Told, class_of_error, class_of_response, leave_wait};
use crate::pattern::ready::{Inner, Sending};
use crate::rt::{self, Timer};
use crate::terms::Class;

pin_project! {
    /// A call that has its turn, or waits for it.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, Request<B>>,
        // Absent where nothing is limited and nothing learned.
        note: Option<Note>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, R>
    where
        S: Service<R>,
    {
        /// Its turn would have come too late.
        Rejected { error: Option<Error> },
        /// Waiting for its turn.
        Queued { ticket: Ticket, #[pin] timer: Timer, held: Option<(Inner<S>, R)> },
        /// The call is on its way.
        Sent { #[pin] sending: Sending<S, R>, turn: Option<Turn> },
    }
}

/// Whose call it is.
pub(super) struct Note {
    context: Context,
    settings: Arc<RateLimitLayer>,
    /// That of its key, where there are keys.
    keyed: Option<Arc<Limiter>>,
    /// When it joined the queue, if it did.
    came: Instant,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn unlimited(sending: Sending<S, Request<B>>) -> Self {
        Self { state: State::Sent { sending, turn: None }, note: None }
    }

    pub(super) fn rejected(error: Error) -> Self {
        Self { state: State::Rejected { error: Some(error) }, note: None }
    }

    pub(super) fn sent(sending: Sending<S, Request<B>>, turn: Turn, note: Note) -> Self {
        Self { state: State::Sent { sending, turn: Some(turn) }, note: Some(note) }
    }

    pub(super) fn queued(
        service: Inner<S>,
        request: Request<B>,
        ticket: Ticket,
        note: Note,
    ) -> Self {
        // Until its turn comes; a call that is dropped before never left.
        note.context.state().set_queued(true);
        let state =
            State::Queued { ticket, timer: Timer::default(), held: Some((service, request)) };
        Self { state, note: Some(Note { came: rt::now(), ..note }) }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<ResBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Rejected { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
                StateProjection::Queued { ticket, timer, held } => {
                    let note = this.note.as_ref().expect("who queues is known");
                    match ready!(note.wait(ticket, timer, cx)) {
                        // It leaves the queue at once, not when the caller drops the call.
                        Err(error) => State::Rejected { error: Some(error) },
                        Ok(turn) => {
                            let (service, request) = held.take().expect("a request is sent once");
                            // Its turn: the request goes on its way.
                            State::Sent { sending: service.send_owned(request), turn: Some(turn) }
                        }
                    }
                }
                StateProjection::Sent { sending, turn } => {
                    let mut result = ready!(sending.poll(cx));
                    if let (Some(note), Some(turn)) = (this.note.as_ref(), turn.take()) {
                        match &mut result {
                            Ok(response) => note.heed(&turn, response),
                            Err(error) => note.heed_error(&turn, error),
                        }
                    }
                    return Poll::Ready(result);
                }
            };
            this.state.set(next);
        }
    }
}

// === impl Note ===

impl Note {
    pub(super) fn new(
        context: Context,
        settings: Arc<RateLimitLayer>,
        keyed: Option<Arc<Limiter>>,
    ) -> Self {
        let came = context.started();
        Self { context, settings, keyed, came }
    }

    fn limiter(&self) -> &Limiter {
        self.keyed.as_ref().unwrap_or(&self.settings.limiter)
    }

    /// Ready when it is the call's turn, or when the call must not be sent any more.
    fn wait(
        &self,
        ticket: &mut Ticket,
        mut timer: Pin<&mut Timer>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Result<Turn, Error>> {
        let state = self.context.state();
        loop {
            if let Some(refusal) = self.context.refusal() {
                // Somebody stopped the integration meanwhile: no turn is taken.
                state.set_queued(false);
                return Poll::Ready(Err(refusal));
            }
            let step = ticket.step(cx.waker());
            let now = rt::now();
            match (step, ticket.limit) {
                (Step::Go(turn), _) => {
                    state.set_queued(false);
                    state.set_attempt_began(now);
                    let waited = now.saturating_duration_since(self.came);
                    let released = || Event::RateLimitReleased { waited };
                    self.settings.emitter.emit(Some(&self.context), released);
                    return Poll::Ready(Ok(turn));
                }
                (Step::StoppedUntil(at), _) => {
                    return Poll::Ready(Err(self.late(Some(at.saturating_duration_since(now)))));
                }
                // Everybody was stopped since it queued, for longer than it can wait.
                (Step::WaitUntil(at), Some(limit)) if at >= limit => {
                    return Poll::Ready(Err(self.late(Some(at.saturating_duration_since(now)))));
                }
                (Step::WaitUntil(at), _) => ready!(timer.as_mut().poll_at(at, cx)),
                (Step::Wait, None) => return Poll::Pending,
                (Step::Wait, Some(limit)) if now >= limit => {
                    return Poll::Ready(Err(self.late(None)));
                }
                (Step::Wait, Some(limit)) => ready!(timer.as_mut().poll_at(limit, cx)),
            }
        }
    }

    /// Refuses a call that had queued.
    fn late(&self, wait: Option<Duration>) -> Error {
        self.context.state().set_queued(false);
        self.limiter().count_rejected();
        self.settings.reject(Rejected { wait, is_full: false }, &self.context)
    }

    /// Learns from an answer.
    fn heed<B>(&self, turn: &Turn, response: &mut Response<B>) {
        let RateLimitLayer { classifier, emitter, clock, config, .. } = &*self.settings;
        let limiter = self.limiter();
        if config.learning == Learning::Off {
            return;
        }
        if response.status().is_server_error() {
            // It says how the provider is, and that is a breaker's matter.
            return;
        }
        let class = class_of_response(classifier, response);
        let told = Told::read(response.headers(), classifier.limit_headers(), clock);
        let (facts, is_refusal) = (&told.limits, class == Class::Throttled);
        let changed = if facts.is_empty() { None } else { limiter.hear(turn, facts, is_refusal) };
        if is_refusal {
            told.leave(class, response.extensions_mut());
            let asked = some_time(told.wait(class));
            match (told.refused_resource(), asked) {
                // Everything else may go on.
                (Some(resource), Some(asked)) => limiter.refused_resource(turn, resource, asked),
                _ => {
                    let is_rate = !is_about_concurrency(response.headers());
                    let pause = self.refused(turn, asked, is_rate);
                    if let Some(pause) = pause.filter(|_| asked.is_none()) {
                        self.tell_of(pause, response);
                    }
                }
            }
        } else {
            limiter.accepted(turn);
        }
        if let Some(interval) = changed {
            emitter.emit(Some(&self.context), || Event::RateLimitChanged { interval });
        }
    }

    /// A client of one's own may tell a 429 as an error.
    fn heed_error(&self, turn: &Turn, error: &Error) {
        let is_heeded = self.settings.config.learning == Learning::On;
        if is_heeded && class_of_error(&self.settings.classifier, error) == Class::Throttled {
            self.refused(turn, some_time(error.retry_after()), true);
        }
    }

    /// Whoever tried again before this pause is over would only be refused here, or wait.
    fn tell_of<B>(&self, pause: Duration, response: &mut Response<B>) {
        let config = &self.settings.config;
        let is_refused = config.max_wait.is_some_and(|most| pause > most);
        match config.excess {
            Excess::Reject if is_refused => self.context.state().set_shut(true),
            // It waits for its turn.
            Excess::Reject => {}
            Excess::Shape => leave_wait(response.extensions_mut(), pause),
        }
    }

    /// Stops everybody for as long as was asked, or as seems enough; how long that is.
    fn refused(&self, turn: &Turn, asked: Option<Duration>, is_rate: bool) -> Option<Duration> {
        let (limiter, emitter) = (self.limiter(), &self.settings.emitter);
        if !is_rate && asked.is_none() {
            return None;
        }
        let (pause, changed) = limiter.refused(turn, asked, is_rate);
        if let Some(pause) = pause {
            emitter.emit(Some(&self.context), || Event::RateLimitPaused { pause });
        }
        if let Some(interval) = changed {
            emitter.emit(Some(&self.context), || Event::RateLimitChanged { interval });
        }
        pause
    }
}

/// Who refuses and asks for no wait doesn't say for how long it will; nor does who asks for longer than
/// any quota lasts, which is a wrong header.
fn some_time(asked: Option<Duration>) -> Option<Duration> {
    asked.filter(|asked| !asked.is_zero() && *asked <= LONGEST)
}

/// A month's quota is the longest that there is.
const LONGEST: Duration = Duration::from_secs(32 * 24 * 3600);

/// Stripe says when too many requests were under way at once, which no rate cures.
fn is_about_concurrency(headers: &http::HeaderMap) -> bool {
    let reason = headers.get("stripe-rate-limited-reason").map(http::HeaderValue::as_bytes);
    reason.is_some_and(|reason| reason.ends_with(b"concurrency"))
}
