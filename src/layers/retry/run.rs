//! One call's retries: judges each attempt's result and decides what comes next.

use std::future::Future;
use std::time::{Duration, Instant};

use http::response::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::around::RetryPattern;
use super::config::EmptyBudget;
use super::policy::{FailedAttempt, RetryPolicy, StandardPolicy};
use super::state::{AttemptHistory, Failure, NextAttempt, RequestTraits};
use crate::context::{AttemptState, CarriedOut, Context, CredentialRenewed, KeyFact, Retries};
use crate::event::Event;
use crate::outcome::{Error, LeftAlone, wait_of};
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::replay::budget::{CallUnderWay, RetryPermit};
use crate::replay::{KEY_HEADER, OnlyReads, RetryOverride, is_idempotent, is_key};
use crate::rt;
use crate::rt::callback;
use crate::terms::{Class, Delivery, GaveUp};

/// The state of one call over all its attempts.
pub(super) struct Run<'a, W: Wire> {
    pub(super) pattern: &'a RetryPattern,
    pub(super) call: &'a Call,
    pub(super) attempt: &'a Attempt<W>,
    pub(super) history: AttemptHistory,
    /// The call's key, if it had one before its first attempt.
    key: Option<&'a KeyFact>,
    /// The call, if its budget counts calls in flight.
    in_flight_call: Option<CallUnderWay>,
    /// The last attempt's context, while the call waits for the next.
    pub(super) concluded: Option<Context>,
    /// The budget's permit for the present retry.
    pub(super) permit: Option<RetryPermit>,
}

/// What to do after a result.
#[derive(Clone, Copy)]
pub(super) enum NextAction {
    /// Wait, and try again.
    Wait(Duration),
    /// Wait, and try again when the budget holds a retry.
    WaitForBudget { delay: Duration, class: Class },
    /// Return the result: a success, or a failure that is not retried.
    Return(Option<GaveUp>),
}

/// An attempt's result that was no success.
struct FailedResult {
    class: Class,
    delivery: Delivery,
    /// The delivery of its hedged request.
    hedge_delivery: Option<Delivery>,
    /// The provider said that it did not process the request, and the attempt sent no other.
    unprocessed: bool,
    /// The request's credential was refused, and there is another one.
    renewed: bool,
    /// The provider may have carried a part of the request out before it refused the credential.
    carried_out: bool,
    retry_after: Option<Duration>,
    /// The answer's status, and its size if that is known.
    answer: Option<(StatusCode, Option<u64>)>,
}

/// Whether the budget allows the next attempt, which follows after a delay.
#[derive(Clone, Copy)]
enum BudgetDecision {
    Now(Duration),
    Later(Duration),
}

impl<'a, W: Wire> Run<'a, W> {
    pub(super) fn begin(
        pattern: &'a RetryPattern,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Self {
        let in_flight_call = Some(pattern.settings.budget.begin_call());
        call.facts().count_attempts(1);
        let history = AttemptHistory::first();
        let (key, concluded, permit) = (call.facts().key.get(), None, None);
        Self { pattern, call, attempt, history, key, in_flight_call, concluded, permit }
    }

    /// Decides what to do after a result.
    pub(super) fn judge<F>(&mut self, held: &Held<'_, W, F>) -> NextAction
    where
        F: Future<Output = Flow>,
    {
        self.permit = None;
        let settings = &self.pattern.settings;
        let class = held.class(&settings.classifier);
        if class.is_success() {
            self.pattern.refusals.record(class);
            return NextAction::Return(None);
        }
        let size = self.attempt.size_hint().exact();
        let handed_over = self.attempt.state(AttemptState::handed_over);
        let call_id = self.call.facts().id();
        let answered = held.answer(|head| {
            let Parts { status, headers, extensions, .. } = head;
            let unprocessed = extensions.get::<LeftAlone>().is_some_and(|said| said.0 == call_id);
            let renewed = extensions.get::<CredentialRenewed>();
            FailedResult {
                class,
                delivery: Delivery::Answered,
                hedge_delivery: Retries::left_behind(extensions),
                unprocessed: unprocessed && handed_over == 1,
                renewed: renewed.is_some_and(|said| said.0 == call_id),
                carried_out: extensions.get::<CarriedOut>().is_some(),
                retry_after: wait_of(
                    &settings.classifier,
                    class,
                    headers,
                    extensions,
                    &settings.clock,
                ),
                answer: Some((*status, size)),
            }
        });
        let error = held.error();
        let failed = || FailedResult {
            class,
            delivery: error.map_or(Delivery::Unknown, Error::delivery),
            hedge_delivery: None,
            unprocessed: false,
            renewed: false,
            carried_out: false,
            retry_after: error.and_then(Error::retry_after),
            answer: None,
        };
        let outcome = answered.unwrap_or_else(failed);
        self.next(&outcome, error)
    }

    /// What the request is. It is asked for only when an attempt has failed.
    pub(super) fn traits(&self) -> RequestTraits {
        let facts = self.call.facts();
        let retry_override = self.attempt.saved_extension::<RetryOverride>();
        let only_reads = self.attempt.saved_extension::<OnlyReads>().is_some();
        let (idempotent, keyed) = self.attempt.exchange(|method, sent, _| {
            let has_key = || sent.iter().any(|(name, value)| *name == KEY_HEADER && is_key(value));
            let keyed = self.key.map_or_else(has_key, |key| key.honoured);
            (only_reads || method.is_some_and(is_idempotent), keyed)
        });
        // The key's lifetime is a limit only if the key is what makes a repetition safe.
        let by_key = keyed && !idempotent && retry_override != Some(RetryOverride::Safe);
        let key = self.key.filter(|_| by_key);
        RequestTraits {
            idempotent,
            keyed,
            retry_override,
            started: facts.started,
            deadline: facts.deadline(),
            key_expires: key.map(|key| rt::after(facts.started, key.lifetime)),
        }
    }

    /// Whether the policy wants another attempt.
    fn is_wanted(
        &self,
        traits: &RequestTraits,
        outcome: &FailedResult,
        error: Option<&Error>,
        is_same_again: bool,
    ) -> bool {
        let (call, other, none) = (self.call.facts(), Method::GET, HeaderMap::new());
        self.attempt.exchange(|method, sent, head| {
            let head = outcome.answer.and(head);
            let failed_check = head.as_ref().and_then(|head| head.extensions.get());
            let answered = head.as_ref().map_or(&none, |head| &head.headers);
            let failed = FailedAttempt {
                class: outcome.class,
                status: outcome.answer.map(|(status, _)| status),
                headers: outcome.answer.map(|_| answered),
                failed_check,
                error,
                method: method.unwrap_or(&other),
                sent,
                attempt: self.history.attempts + call.hedges(),
                keyed: traits.keyed,
                key_from_caller: call.key.get().is_none_or(|key| key.from_caller),
                is_same_again,
            };
            let wanted = || self.pattern.settings.policy.wants(&failed);
            callback::call("retry policy", wanted)
                .unwrap_or_else(|| StandardPolicy::new().wants(&failed))
        })
    }

    fn next(&mut self, outcome: &FailedResult, error: Option<&Error>) -> NextAction {
        let FailedResult { class, delivery, unprocessed, retry_after, .. } = *outcome;
        let (attempt, traits) = (self.history.attempts, self.traits());
        let is_same_again = self.history.compare(outcome.answer);
        let (would_be_refused, is_unready, is_here) =
            self.attempt.state(|at| (at.is_shut(), at.is_unready(), at.is_queued_whole()));
        let failure = Failure {
            class,
            status: outcome.answer.map(|(status, _)| status),
            delivery,
            unprocessed,
            renewed: outcome.renewed,
            carried_out: outcome.carried_out,
            wanted: self.is_wanted(&traits, outcome, error, is_same_again) && !is_unready,
            retry_after,
            body_kept: self.attempt.is_kept(),
            answers_others: self.pattern.refusals.record(class),
            would_be_refused,
            stopped: !self.call.facts().may_repeat(),
        };
        if is_here || (class.is_local() || is_unready) && delivery == Delivery::NotSent {
            // Nothing was sent, so it doesn't count as an attempt.
            self.history.attempts -= 1;
        }
        self.record_end(delivery);
        self.history.end(delivery, outcome.hedge_delivery);
        let now = self.call.now();
        let settings = &self.pattern.settings;
        let (config, rng) = (&settings.config, &settings.rng);
        let decision = self.history.decide(config, &traits, &failure, now, rng);
        let next = decision.and_then(|step| self.pay(step, now));
        let attempts = self.history.attempts;
        self.emit_event(|| match next {
            Ok(BudgetDecision::Now(delay)) => Event::RetryScheduled { attempt, class, delay },
            Ok(BudgetDecision::Later(_)) => Event::RetryAwaitsBudget { attempt, class },
            Err(why) => Event::RetryGaveUp { attempts, class, why },
        });
        match next {
            Ok(BudgetDecision::Now(delay)) => NextAction::Wait(delay),
            Ok(BudgetDecision::Later(delay)) => NextAction::WaitForBudget { delay, class },
            Err(why) => NextAction::Return(Some(why)),
        }
    }

    /// Records the end of an attempt with the call.
    fn record_end(&self, delivery: Delivery) {
        self.call.facts().count_attempts(self.history.attempts);
        self.attempt.state(|state| {
            state.leave_queue();
            state.merge_delivery(delivery);
        });
    }

    /// Withdraws the next attempt from the budget, unless it is free.
    fn pay(&mut self, step: NextAttempt, now: Instant) -> Result<BudgetDecision, GaveUp> {
        let settings = &self.pattern.settings;
        if !step.is_free {
            self.permit = settings.budget.withdraw(now);
        }
        match settings.config.when_budget_is_empty {
            _ if step.is_free || self.permit.is_some() => Ok(BudgetDecision::Now(step.delay)),
            EmptyBudget::Wait => Ok(BudgetDecision::Later(step.delay)),
            EmptyBudget::Fail => Err(GaveUp::Budget),
        }
    }

    /// Begins the next attempt; false if the request can't be sent again.
    pub(super) fn restart(&mut self) -> bool {
        let number = self.history.attempts + 1 + self.call.facts().hedges();
        if !self.attempt.restart(number, self.call.now()) {
            return false;
        }
        self.history.begin();
        self.call.facts().count_attempts(self.history.attempts);
        true
    }

    /// Adds the number of attempts to the last result.
    pub(super) fn last<'h, F>(
        &mut self,
        held: Held<'h, W, F>,
        why: Option<GaveUp>,
    ) -> Held<'h, W, F>
    where
        F: Future<Output = Flow>,
    {
        (self.in_flight_call, self.permit) = (None, None);
        self.call.facts().set_waited(self.history.waited);
        if why.is_some() || self.history.attempts + self.call.facts().hedges() > 1 {
            held.answer(|head| self.annotate(head, why));
        }
        match held.error() {
            Some(_) => held.map_error(|error| self.finish(error, why)),
            None => held,
        }
    }

    /// Adds [`Retries`] to an answer.
    fn annotate(&self, head: &mut Parts, gave_up: Option<GaveUp>) {
        let AttemptHistory { attempts, waited, .. } = self.history;
        let attempts = attempts + self.call.facts().hedges();
        let earlier = self.history.earlier(Retries::left_behind(&head.extensions));
        head.extensions.insert(Retries { attempts, waited, gave_up, earlier });
    }

    /// Adds the attempts to an error, and the worst delivery of all of them.
    pub(super) fn finish(&self, error: Error, why: Option<GaveUp>) -> Error {
        let call = self.call.facts();
        call.set_waited(self.history.waited);
        let error = error.with_context(&self.attempt.context()).with_elapsed(self.call.elapsed());
        let attempts = self.history.attempts + call.hedges();
        error.merge_delivery(call.delivery()).with_gave_up(why, attempts)
    }

    pub(super) fn emit_event(&self, event: impl FnOnce() -> Event) {
        let emitter = &self.pattern.settings.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&self.attempt.context()), event);
        }
    }
}
