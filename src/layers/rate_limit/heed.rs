use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::config::{Excess, Learning};
use super::layer::RateLimitLayer;
use super::limiter::{Limiter, Turn};
use crate::context::AttemptState;
use crate::event::Event;
use crate::outcome::{Error, Told, class_of_error, leave_wait};
use crate::pattern::{Attempt, Flow, Held, Wire};
use crate::terms::Class;

/// What can be learned from one answer.
pub(super) struct Lesson<'a, W: Wire> {
    settings: &'a RateLimitLayer,
    limiter: &'a Limiter,
    attempt: &'a Attempt<W>,
    turn: &'a Turn,
}

impl<'a, W: Wire> Lesson<'a, W> {
    pub(super) fn new(
        settings: &'a RateLimitLayer,
        limiter: &'a Limiter,
        attempt: &'a Attempt<W>,
        turn: &'a Turn,
    ) -> Self {
        Self { settings, limiter, attempt, turn }
    }

    pub(super) fn heed<F: Future<Output = Flow>>(&self, held: &Held<'_, W, F>) {
        if self.settings.config.learning == Learning::Off {
            return;
        }
        match held.error() {
            Some(error) => self.heed_error(error),
            // A server's error says how the provider is, and that is a breaker's matter.
            None if held.answer(|head| head.status.is_server_error()) == Some(true) => {}
            None => self.heed_answer(held),
        }
    }

    fn heed_answer<F: Future<Output = Flow>>(&self, held: &Held<'_, W, F>) {
        let RateLimitLayer { classifier, clock, .. } = self.settings;
        let (limiter, turn) = (self.limiter, self.turn);
        let class = held.class(classifier);
        let is_refusal = class == Class::Throttled;
        let own = classifier.limit_headers();
        let speaks = || held.answer(|head| Told::may_be_in(&head.headers, own)) == Some(true);
        if !is_refusal && !speaks() {
            // Most answers tell nothing.
            return limiter.accepted(turn);
        }
        let read = held.answer(|head| {
            let told = Told::read(&head.headers, own, clock);
            if is_refusal {
                told.leave(class, &mut head.extensions);
            }
            (told, !is_about_concurrency(&head.headers))
        });
        let Some((told, is_rate)) = read else { return };
        let facts = &told.limits;
        let changed = if facts.is_empty() { None } else { limiter.hear(turn, facts, is_refusal) };
        if is_refusal {
            let asked = some_time(told.wait(class));
            match (told.refused_resource(), asked) {
                // Everything else may go on.
                (Some(resource), Some(asked)) => limiter.refused_resource(turn, resource, asked),
                _ => {
                    let pause = self.refused(asked, is_rate);
                    if let Some(pause) = pause.filter(|_| asked.is_none()) {
                        self.tell_of(pause, held);
                    }
                }
            }
        } else {
            limiter.accepted(turn);
        }
        if let Some(interval) = changed {
            self.tell(Event::RateLimitChanged { interval });
        }
    }

    /// A client of one's own may tell a 429 as an error.
    fn heed_error(&self, error: &Error) {
        if class_of_error(&self.settings.classifier, error) == Class::Throttled {
            self.refused(some_time(error.retry_after()), true);
        }
    }

    /// Whoever tried again before this pause is over would only be refused here, or wait.
    fn tell_of<F: Future<Output = Flow>>(&self, pause: Duration, held: &Held<'_, W, F>) {
        let config = &self.settings.config;
        let is_refused = config.max_wait.is_some_and(|most| pause > most);
        match config.excess {
            Excess::Reject if is_refused => self.attempt.state(AttemptState::mark_shut),
            // It waits for its turn.
            Excess::Reject => {}
            Excess::Shape => {
                held.answer(|head| leave_wait(&mut head.extensions, pause));
            }
        }
    }

    /// Stops everybody for as long as was asked, or as seems enough; how long that is.
    fn refused(&self, asked: Option<Duration>, is_rate: bool) -> Option<Duration> {
        if !is_rate && asked.is_none() {
            return None;
        }
        let (pause, changed) = self.limiter.refused(self.turn, asked, is_rate);
        if let Some(pause) = pause {
            self.tell(Event::RateLimitPaused { pause });
        }
        if let Some(interval) = changed {
            self.tell(Event::RateLimitChanged { interval });
        }
        pause
    }

    fn tell(&self, event: Event) {
        self.settings.emitter.emit(Some(&self.attempt.context()), || event);
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
fn is_about_concurrency(headers: &HeaderMap) -> bool {
    let reason = headers.get("stripe-rate-limited-reason").map(HeaderValue::as_bytes);
    reason.is_some_and(|reason| reason.ends_with(b"concurrency"))
}
