//! One call's hedged request: when it is sent, and which of both results counts.

use std::future::Future;
use std::time::{Duration, Instant};

use super::layer::{After, HedgeLayer};
use crate::context::{AttemptState, Retries};
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::replay::budget::{CallUnderWay, RetryPermit};
use crate::replay::{RetryOverride, has_honoured_key, only_reads};
use crate::terms::{Class, Delivery, GaveUp};

pub(super) struct HedgePlan<'a, W: Wire> {
    settings: &'a HedgeLayer,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    /// The request changes nothing (RFC 9110, 9.2.1).
    safe: bool,
    /// The time after which the first is slow, if there may be a second.
    pub(super) delay: Option<Duration>,
    /// The call, if its budget counts calls in flight and no retry layer further out does so.
    _under_way: Option<CallUnderWay>,
}

/// A second request in flight.
pub(super) struct HedgedAttempt<'a, W: Wire> {
    settings: &'a HedgeLayer,
    call: &'a Call,
    first: &'a Attempt<W>,
    hedged: &'a Attempt<W>,
    safe: bool,
    /// It has a result.
    ended: bool,
    /// The budget's permit for it.
    _permit: RetryPermit,
}

impl<'a, W: Wire> HedgePlan<'a, W> {
    pub(super) fn of(settings: &'a HedgeLayer, call: &'a Call, attempt: &'a Attempt<W>) -> Self {
        let is_counted = call.facts().is_counted();
        // Each call adds to the budget, unless a retry layer further out has counted it.
        let under_way = (!is_counted).then(|| settings.budget.begin_call());
        let number = attempt.number();
        let (safe, may_hedge) = attempt
            .request(|request| {
                let safe = only_reads(request);
                let may_hedge = match request.extensions().get::<RetryOverride>() {
                    Some(RetryOverride::Never) => false,
                    // Its other attempt is the retry layer's.
                    Some(RetryOverride::Once) if is_counted => false,
                    // PUT and DELETE may be repeated, but not in parallel: a superseded one may
                    // be processed after the caller's next request.
                    _ => number == 1 && (safe || has_honoured_key(request, call.facts())),
                };
                (safe, may_hedge)
            })
            .unwrap_or_default();
        let delay = settings.delay().filter(|_| may_hedge);
        Self { settings, call, attempt, safe, delay, _under_way: under_way }
    }

    /// Whether the first request's result is good. Its latency is recorded.
    pub(super) fn judge<F>(&self, held: &Held<'_, W, F>) -> bool
    where
        F: Future<Output = Flow>,
    {
        let class = held.class(&self.settings.classifier);
        if class.is_verdict() || held.error().is_some_and(Error::is_timeout) {
            self.learn();
        }
        is_good(class, self.safe)
    }

    /// Records the first request's latency, or a lower bound of it.
    fn learn(&self) {
        if let After::Quantile(_, latencies) = &self.settings.after {
            let (now, began) = (self.call.now(), self.began());
            latencies.record(now.saturating_duration_since(began), now);
        }
    }

    fn began(&self) -> Instant {
        self.attempt.state(AttemptState::attempt_began)
    }

    /// The second request and its permit, if there may be one. Decided once.
    pub(super) fn begin_hedge(&self) -> Option<(Attempt<W>, RetryPermit)> {
        let (now, settings) = (self.call.now(), self.settings);
        let after = now.saturating_duration_since(self.began());
        // A body that is still being sent can't be sent a second time.
        if !self.attempt.is_sent() {
            return None;
        }
        let permit = match self.pay(now) {
            Ok(permit) => permit,
            Err(why) => {
                settings.counters.count_skipped();
                self.emit_event(|| Event::HedgeSkipped { why });
                return None;
            }
        };
        let hedged = self.attempt.second(self.attempt.number() + 1, now)?;
        self.call.facts().begin_hedge();
        settings.counters.count_sent();
        self.emit_event(|| Event::HedgeSent { after });
        Some((hedged, permit))
    }

    /// The guard of the second request.
    pub(super) fn hedged_attempt<'b>(
        &self,
        hedged: &'b Attempt<W>,
        permit: RetryPermit,
    ) -> HedgedAttempt<'b, W>
    where
        'a: 'b,
    {
        let (settings, call, first) = (self.settings, self.call, self.attempt);
        HedgedAttempt {
            settings,
            call,
            first,
            hedged,
            safe: self.safe,
            ended: false,
            _permit: permit,
        }
    }

    /// Withdraws a second request from the budget, or says why there may be none.
    fn pay(&self, now: Instant) -> Result<RetryPermit, GaveUp> {
        if !self.call.facts().may_repeat() {
            return Err(GaveUp::Stopped);
        }
        if self.attempt.state(|state| state.is_probing() || state.is_shut()) {
            return Err(GaveUp::CircuitOpen);
        }
        if self.call.deadline().is_some_and(|deadline| now >= deadline) {
            return Err(GaveUp::Deadline);
        }
        self.settings.budget.withdraw(now).ok_or(GaveUp::Budget)
    }

    /// The second request won. The first had failed with this delivery, or is superseded.
    pub(super) fn win(&self, failed: Option<Delivery>) {
        self.settings.counters.count_won();
        self.attempt.state(|state| state.merge_delivery(failed.unwrap_or(Delivery::Unknown)));
        if failed.is_none() {
            self.learn();
            // So that its guards know when they are dropped.
            self.attempt.state(AttemptState::supersede);
        }
        self.finish(true);
    }

    /// Returns the first request's result, with the worst delivery of both.
    pub(super) async fn return_first<F>(&self, held: Held<'_, W, F>, second: Delivery) -> Flow
    where
        F: Future<Output = Flow>,
    {
        self.finish(false);
        self.annotate(&held, second);
        let worst = self.call.facts().delivery();
        held.map_error(|error| error.merge_delivery(worst)).hand_up().await
    }

    /// Adds [`Retries`] to an answer. A retry layer further out completes it.
    pub(super) fn annotate<F>(&self, held: &Held<'_, W, F>, earlier: Delivery)
    where
        F: Future<Output = Flow>,
    {
        let attempts = self.attempt.state(AttemptState::attempts).unwrap_or(1);
        if attempts > 1 {
            let retries = Retries { attempts, waited: Duration::ZERO, gave_up: None, earlier };
            held.answer(|head| head.extensions.insert(retries));
        }
    }

    pub(super) fn finish(&self, won: bool) {
        self.emit_event(|| Event::HedgeFinished { won });
    }

    fn emit_event(&self, event: impl FnOnce() -> Event) {
        if self.settings.emitter.is_listened_to() {
            self.settings.emitter.emit(Some(&self.attempt.context()), event);
        }
    }
}

/// Whether the other request can't have a better result.
///
/// A 4xx for one would be a 4xx for the other. But if the requests change something, one may be refused
/// because the other is being processed.
fn is_good(class: Class, safe: bool) -> bool {
    class.is_success() || safe && class.is_verdict()
}

// === impl Second ===

impl<W: Wire> HedgedAttempt<'_, W> {
    /// The first request won. Returns this one's delivery.
    pub(super) fn supersede(&self) -> Delivery {
        self.hedged.state(|state| {
            state.supersede();
            if state.has_not_left() { Delivery::NotSent } else { Delivery::Unknown }
        })
    }

    /// Records its result: `Ok` if it is good, or its delivery.
    pub(super) fn end<F>(&mut self, held: &Held<'_, W, F>) -> Result<(), Delivery>
    where
        F: Future<Output = Flow>,
    {
        self.ended = true;
        if self.hedged.state(AttemptState::is_shut) {
            self.first.state(AttemptState::mark_shut);
        }
        let class = held.class(&self.settings.classifier);
        let delivery = delivery_of(held);
        self.call.facts().merge_delivery(delivery);
        match held.error().is_none() && is_good(class, self.safe) {
            true => Ok(()),
            false => Err(delivery),
        }
    }
}

/// The delivery of a request with this result.
pub(super) fn delivery_of<W: Wire, F>(held: &Held<'_, W, F>) -> Delivery
where
    F: Future<Output = Flow>,
{
    held.error().map_or(Delivery::Answered, Error::delivery)
}

impl<W: Wire> Drop for HedgedAttempt<'_, W> {
    fn drop(&mut self) {
        let call = self.call.facts();
        if self.hedged.state(AttemptState::has_not_left) {
            // It was still in a queue: nothing was sent.
            call.uncount_hedge();
        } else if !self.ended {
            // It was sent, and its result will not be known.
            call.merge_delivery(Delivery::Unknown);
        }
        call.end_hedge();
    }
}
