//! One call's second request: when it goes out, and what came of both.

use std::future::Future;
use std::time::{Duration, Instant};

use super::layer::{After, HedgeLayer};
use crate::context::{AttemptState, Retries};
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::replay::budget::{CallUnderWay, RetryPermit};
use crate::replay::{Steer, has_honoured_key, is_safe};
use crate::terms::{Class, Delivery, GaveUp};

pub(super) struct Plan<'a, W: Wire> {
    settings: &'a HedgeLayer,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    /// The request changes nothing (RFC 9110, 9.2.1).
    safe: bool,
    /// When the first has taken too long, where there may be a second.
    pub(super) delay: Option<Duration>,
    /// The call itself, where calls under way are counted and no retry layer does.
    _under_way: Option<CallUnderWay>,
}

/// A second request under way.
pub(super) struct Second<'a, W: Wire> {
    settings: &'a HedgeLayer,
    call: &'a Call,
    first: &'a Attempt<W>,
    other: &'a Attempt<W>,
    safe: bool,
    /// It came to something.
    ended: bool,
    /// What it costs, where requests under way are counted.
    _pass: RetryPermit,
}

impl<'a, W: Wire> Plan<'a, W> {
    pub(super) fn of(settings: &'a HedgeLayer, call: &'a Call, attempt: &'a Attempt<W>) -> Self {
        let is_counted = call.facts().is_counted();
        // A call pays for the hedges of others, unless a retry layer outside has seen to it.
        let under_way = (!is_counted).then(|| settings.budget.begin_call());
        let number = attempt.number();
        let (safe, may_double) = attempt
            .request(|request| {
                let safe = is_safe(request.method());
                let may_double = match request.extensions().get::<Steer>() {
                    Some(Steer::Never) => false,
                    // Its other attempt is the retry layer's.
                    Some(Steer::Once) if is_counted => false,
                    Some(Steer::Safe) => number == 1,
                    // PUT and DELETE may be repeated, but not beside each other: one that was
                    // overtaken may be carried out after the caller's next one.
                    _ => number == 1 && (safe || has_honoured_key(request, call.facts())),
                };
                (safe, may_double)
            })
            .unwrap_or_default();
        let delay = settings.delay().filter(|_| may_double);
        Self { settings, call, attempt, safe, delay, _under_way: under_way }
    }

    /// Whether what the first came to is good; what it tells of times is learned.
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

    /// The first took so long, or at least so long.
    fn learn(&self) {
        if let After::Quantile(_, learned) = &self.settings.after {
            let (now, began) = (self.call.now(), self.began());
            learned.record(now.saturating_duration_since(began), now);
        }
    }

    fn began(&self) -> Instant {
        self.attempt.state(AttemptState::attempt_began)
    }

    /// The second request, if there may be one, and what it costs; decided once.
    pub(super) fn begin_second(&self) -> Option<(Attempt<W>, RetryPermit)> {
        let (now, settings) = (self.call.now(), self.settings);
        let after = now.saturating_duration_since(self.began());
        // A body that is still being sent can't be sent twice at once.
        if !self.attempt.is_sent() {
            return None;
        }
        let pass = match self.pay(now) {
            Ok(pass) => pass,
            Err(why) => {
                settings.counters.count_skipped();
                self.tell(|| Event::HedgeSkipped { why });
                return None;
            }
        };
        let other = self.attempt.second(self.attempt.number() + 1, now)?;
        self.call.facts().begin_hedge();
        settings.counters.count_sent();
        self.tell(|| Event::HedgeSent { after });
        Some((other, pass))
    }

    /// The second request, on its way.
    pub(super) fn second<'b>(&self, other: &'b Attempt<W>, pass: RetryPermit) -> Second<'b, W>
    where
        'a: 'b,
    {
        let (settings, call, first) = (self.settings, self.call, self.attempt);
        Second { settings, call, first, other, safe: self.safe, ended: false, _pass: pass }
    }

    /// Pays for a second request, if there may be one now; otherwise, why there may not.
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

    /// The second was answered well; the first had failed, of which this is known, or is overtaken.
    pub(super) fn win(&self, failed: Option<Delivery>) {
        self.settings.counters.count_won();
        self.attempt.state(|state| state.merge_delivery(failed.unwrap_or(Delivery::Unknown)));
        if failed.is_none() {
            self.learn();
            // It is dropped knowing that it lost.
            self.attempt.state(AttemptState::supersede);
        }
        self.finish(true);
    }

    /// The first's result, which stands; what a second one may have done counts too.
    pub(super) async fn settle<F>(&self, held: Held<'_, W, F>, second: Delivery) -> Flow
    where
        F: Future<Output = Flow>,
    {
        self.finish(false);
        self.note(&held, second);
        let worst = self.call.facts().delivery();
        held.map_error(|error| error.merge_delivery(worst)).hand_up().await
    }

    /// Notes on an answer what is known of the other request. A retry layer further out says the rest.
    pub(super) fn note<F>(&self, held: &Held<'_, W, F>, earlier: Delivery)
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
        self.tell(|| Event::HedgeFinished { won });
    }

    fn tell(&self, event: impl FnOnce() -> Event) {
        if self.settings.emitter.is_listened_to() {
            self.settings.emitter.emit(Some(&self.attempt.context()), event);
        }
    }
}

/// Whether nothing better can come of the other request.
///
/// What the provider refuses for our fault, it would refuse again. But where the two requests change
/// something, one may be refused because of the other, which is being carried out.
fn is_good(class: Class, safe: bool) -> bool {
    class.is_success() || safe && class.is_verdict()
}

// === impl Second ===

impl<W: Wire> Second<'_, W> {
    /// The first was answered well: this one is dropped knowing that it lost. What is known of it.
    pub(super) fn lose(&self) -> Delivery {
        self.other.state(|state| {
            state.supersede();
            if state.has_not_left() { Delivery::NotSent } else { Delivery::Unknown }
        })
    }

    /// It came to this: a good answer, or else what is known of it.
    pub(super) fn end<F>(&mut self, held: &Held<'_, W, F>) -> Result<(), Delivery>
    where
        F: Future<Output = Flow>,
    {
        self.ended = true;
        if self.other.state(AttemptState::is_shut) {
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

/// What is known of the provider's part in a request that came to this.
pub(super) fn delivery_of<W: Wire, F>(held: &Held<'_, W, F>) -> Delivery
where
    F: Future<Output = Flow>,
{
    held.error().map_or(Delivery::Answered, Error::delivery)
}

impl<W: Wire> Drop for Second<'_, W> {
    fn drop(&mut self) {
        let call = self.call.facts();
        if self.other.state(AttemptState::has_not_left) {
            // It was still here: nothing went out.
            call.uncount_hedge();
        } else if !self.ended {
            // It was on its way, and nobody will know what came of it.
            call.merge_delivery(Delivery::Unknown);
        }
        call.end_hedge();
    }
}
