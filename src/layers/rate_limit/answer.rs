use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::config::{Learning, OnLimit};
use super::layer::RateLimitLayer;
use super::limiter::{Grant, Limiter};
use crate::context::AttemptState;
use crate::event::Event;
use crate::outcome::{Error, FollowedRedirect, Told, class_of_error, leave_wait, wait_left};
use crate::pattern::{Attempt, Flow, Held, Wire};
use crate::terms::Class;

/// Updates the limiter from one answer.
pub(super) struct AnswerObserver<'a, W: Wire> {
    settings: &'a RateLimitLayer,
    limiter: &'a Limiter,
    attempt: &'a Attempt<W>,
    grant: &'a Grant,
}

impl<'a, W: Wire> AnswerObserver<'a, W> {
    pub(super) fn new(
        settings: &'a RateLimitLayer,
        limiter: &'a Limiter,
        attempt: &'a Attempt<W>,
        grant: &'a Grant,
    ) -> Self {
        Self { settings, limiter, attempt, grant }
    }

    pub(super) fn observe<F: Future<Output = Flow>>(&self, held: &Held<'_, W, F>) {
        if self.settings.config.learning == Learning::Off {
            return;
        }
        match held.error() {
            Some(error) => self.observe_error(error),
            // A server error is about the provider's health, which is the circuit breaker's concern.
            None if held.answer(|head| head.status.is_server_error()) == Some(true) => {}
            // The provider has answered with a redirect.
            None if held.answer(|head| FollowedRedirect::left_origin(&head.extensions))
                == Some(true) =>
            {
                self.limiter.accepted(self.grant);
            }
            None => self.observe_answer(held),
        }
    }

    fn observe_answer<F: Future<Output = Flow>>(&self, held: &Held<'_, W, F>) {
        let RateLimitLayer { classifier, clock, .. } = self.settings;
        let (limiter, grant) = (self.limiter, self.grant);
        let class = held.class(classifier);
        let is_refusal = class == Class::Throttled;
        let own = classifier.limit_headers();
        let speaks = || held.answer(|head| Told::may_be_in(&head.headers, own)) == Some(true);
        if !is_refusal && !speaks() {
            // Most answers tell nothing.
            return limiter.accepted(grant);
        }
        let read = held.answer(|head| {
            let told = Told::read(&head.headers, own, clock);
            // What a check read in the body.
            let known = wait_left(&head.extensions);
            if is_refusal && known.is_none() {
                told.leave(class, &mut head.extensions);
            }
            (told, known.or_else(|| told.wait(class)), !is_about_concurrency(&head.headers))
        });
        let Some((told, wait, is_rate)) = read else { return };
        let facts = &told.limits;
        let changed =
            if facts.is_empty() { None } else { limiter.update(grant, facts, is_refusal) };
        if is_refusal {
            let asked = plausible_wait(wait);
            match (told.refused_resource(), asked) {
                // Requests to other resources go on.
                (Some(resource), Some(asked)) => limiter.refused_resource(grant, resource, asked),
                _ => {
                    let pause = self.refused(asked, is_rate);
                    if let Some(pause) = pause.filter(|_| asked.is_none()) {
                        self.announce_pause(pause, held);
                    }
                }
            }
        } else {
            limiter.accepted(grant);
        }
        if let Some(interval) = changed {
            self.emit(Event::RateLimitChanged { interval });
        }
    }

    /// A user's own client may return a 429 as an error.
    fn observe_error(&self, error: &Error) {
        if class_of_error(&self.settings.classifier, error) == Class::Throttled {
            self.refused(plausible_wait(error.retry_after()), true);
        }
    }

    /// Tells retry about the pause: a retry before its end would be refused here, or wait.
    fn announce_pause<F: Future<Output = Flow>>(&self, pause: Duration, held: &Held<'_, W, F>) {
        let config = &self.settings.config;
        let is_refused = config.max_wait.is_some_and(|most| pause > most);
        match config.on_limit {
            OnLimit::Reject if is_refused => self.attempt.state(AttemptState::mark_shut),
            // It waits for its turn.
            OnLimit::Reject => {}
            OnLimit::Shape => {
                held.answer(|head| leave_wait(&mut head.extensions, pause));
            }
        }
    }

    /// Stops all calls for as long as was asked, or for the default pause, which is returned.
    fn refused(&self, asked: Option<Duration>, is_rate: bool) -> Option<Duration> {
        if !is_rate && asked.is_none() {
            return None;
        }
        let (pause, changed) = self.limiter.refused(self.grant, asked, is_rate);
        if let Some(pause) = pause {
            self.emit(Event::RateLimitPaused { pause });
        }
        if let Some(interval) = changed {
            self.emit(Event::RateLimitChanged { interval });
        }
        pause
    }

    fn emit(&self, event: Event) {
        self.settings.emitter.emit(Some(&self.attempt.context()), || event);
    }
}

/// The requested wait, unless it is zero or longer than any quota lasts, which is a wrong header.
fn plausible_wait(asked: Option<Duration>) -> Option<Duration> {
    asked.filter(|asked| !asked.is_zero() && *asked <= MAX_QUOTA_PERIOD)
}

/// Quotas are for a month at most.
const MAX_QUOTA_PERIOD: Duration = Duration::from_secs(32 * 24 * 3600);

/// Stripe says so if too many requests were in flight, which a lower rate doesn't prevent.
fn is_about_concurrency(headers: &HeaderMap) -> bool {
    let reason = headers.get("stripe-rate-limited-reason").map(HeaderValue::as_bytes);
    reason.is_some_and(|reason| reason.ends_with(b"concurrency"))
}
