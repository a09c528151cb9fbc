//! One call's retries: what its attempts came to, and what comes next.

use std::future::Future;
use std::time::{Duration, Instant};

use http::response::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::around::RetryPattern;
use super::config::EmptyBudget;
use super::policy::{FailedAttempt, RetryPolicy, StandardPolicy};
use super::state::{Failure, Nature, Progress, Step};
use crate::context::{AttemptState, Context, Retries};
use crate::event::Event;
use crate::outcome::{Error, LeftAlone, wait_of};
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::replay::budget::{CallUnderWay, RetryPermit};
use crate::replay::{KEY_HEADER, Steer, is_idempotent, is_key};
use crate::rt;
use crate::rt::callback;
use crate::terms::{Class, Delivery, GaveUp};

/// What stays from attempt to attempt.
pub(super) struct Run<'a, W: Wire> {
    pub(super) pattern: &'a RetryPattern,
    pub(super) call: &'a Call,
    pub(super) attempt: &'a Attempt<W>,
    pub(super) progress: Progress,
    /// The call, as far as its budget counts what is under way.
    under_way: Option<CallUnderWay>,
    /// The last attempt's facts, while the call waits for the next.
    pub(super) concluded: Option<Context>,
    /// What the retry that is under way costs.
    pub(super) pass: Option<RetryPermit>,
}

/// What to do with a result.
#[derive(Clone, Copy)]
pub(super) enum Then {
    /// Wait, and try again.
    Wait(Duration),
    /// Wait, and try again when the budget holds a retry.
    WaitForBudget { delay: Duration, class: Class },
    /// It is the last: a success, or a failure that is given up on.
    Return(Option<GaveUp>),
}

/// What an attempt came to, which was no success.
struct Outcome {
    class: Class,
    delivery: Delivery,
    /// What is known of a request that went beside it.
    beside: Option<Delivery>,
    /// The provider said that it left the request alone, and no other went out for the attempt.
    left_alone: bool,
    retry_after: Option<Duration>,
    /// The answer's status, and how large it is, where that is known.
    answer: Option<(StatusCode, Option<u64>)>,
}

/// Whether the budget held the next attempt, which follows after so long.
#[derive(Clone, Copy)]
enum Paid {
    Now(Duration),
    Later(Duration),
}

impl<'a, W: Wire> Run<'a, W> {
    pub(super) fn begin(
        pattern: &'a RetryPattern,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Self {
        let under_way = Some(pattern.settings.budget.begin_call());
        call.facts().count_attempts(1);
        let progress = Progress::first();
        Self { pattern, call, attempt, progress, under_way, concluded: None, pass: None }
    }

    /// What to do with what came; a last answer is told what it took.
    pub(super) fn judge<F>(&mut self, held: &Held<'_, W, F>) -> Then
    where
        F: Future<Output = Flow>,
    {
        self.pass = None;
        let settings = &self.pattern.settings;
        let class = held.class(&settings.classifier);
        if class.is_success() {
            self.pattern.refusals.note(class);
            return Then::Return(None);
        }
        let size = self.attempt.size_hint().exact();
        let handed_over = self.attempt.state(AttemptState::handed_over);
        let call_id = self.call.facts().id();
        let answered = held.answer(|head| {
            let Parts { status, headers, extensions, .. } = head;
            let left_alone = extensions.get::<LeftAlone>().is_some_and(|said| said.0 == call_id);
            Outcome {
                class,
                delivery: Delivery::Answered,
                beside: Retries::left_behind(extensions),
                left_alone: left_alone && handed_over == 1,
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
        let failed = || Outcome {
            class,
            delivery: error.map_or(Delivery::Unknown, Error::delivery),
            beside: None,
            left_alone: false,
            retry_after: error.and_then(Error::retry_after),
            answer: None,
        };
        let outcome = answered.unwrap_or_else(failed);
        self.next(&outcome, error)
    }

    /// What the call is. It is asked for only when an attempt has failed.
    pub(super) fn nature(&self) -> Nature {
        let facts = self.call.facts();
        let steer = self.attempt.saved_extension::<Steer>();
        let (idempotent, keyed) = self.attempt.exchange(|method, sent, _| {
            let has_key = || sent.iter().any(|(name, value)| *name == KEY_HEADER && is_key(value));
            let keyed = facts.key.get().map_or_else(has_key, |key| key.honoured);
            (method.is_some_and(is_idempotent), keyed)
        });
        // The key's lifetime is a limit only where the key is what makes a repetition safe.
        let by_key = keyed && !idempotent && steer != Some(Steer::Safe);
        let key = facts.key.get().filter(|_| by_key);
        Nature {
            idempotent,
            keyed,
            steer,
            started: facts.started,
            deadline: facts.deadline(),
            key_expires: key.map(|key| rt::after(facts.started, key.lifetime)),
        }
    }

    /// Whether the policy thinks that another attempt could be better.
    fn is_wanted(
        &self,
        nature: &Nature,
        outcome: &Outcome,
        error: Option<&Error>,
        is_same_again: bool,
    ) -> bool {
        let (call, other, none) = (self.call.facts(), Method::GET, HeaderMap::new());
        self.attempt.exchange(|method, sent, head| {
            let answered = outcome.answer.and(head).map_or(&none, |head| &head.headers);
            let failed = FailedAttempt {
                class: outcome.class,
                status: outcome.answer.map(|(status, _)| status),
                headers: outcome.answer.map(|_| answered),
                error,
                method: method.unwrap_or(&other),
                sent,
                attempt: self.progress.attempts + call.hedges(),
                keyed: nature.keyed,
                key_from_caller: call.key.get().is_none_or(|key| key.from_caller),
                is_same_again,
            };
            let wanted = || self.pattern.settings.policy.wants(&failed);
            callback::call("retry policy", wanted)
                .unwrap_or_else(|| StandardPolicy::new().wants(&failed))
        })
    }

    fn next(&mut self, outcome: &Outcome, error: Option<&Error>) -> Then {
        let Outcome { class, delivery, left_alone, retry_after, .. } = *outcome;
        let (attempt, nature) = (self.progress.attempts, self.nature());
        let is_same_again = self.progress.compare(outcome.answer);
        let (shut, is_unready, is_here) =
            self.attempt.state(|at| (at.is_shut(), at.is_unready(), at.is_queued_whole()));
        let failure = Failure {
            class,
            status: outcome.answer.map(|(status, _)| status),
            delivery,
            left_alone,
            wanted: self.is_wanted(&nature, outcome, error, is_same_again) && !is_unready,
            retry_after,
            body_kept: self.attempt.is_kept(),
            others_answered: self.pattern.refusals.note(class),
            shut,
            stopped: !self.call.facts().may_repeat(),
        };
        if is_here || (class.is_local() || is_unready) && delivery == Delivery::NotSent {
            // Nothing went out: it was no attempt.
            self.progress.attempts -= 1;
        }
        self.note_end(delivery);
        self.progress.end(delivery, outcome.beside);
        let now = self.call.now();
        let settings = &self.pattern.settings;
        let (config, rng) = (&settings.config, &settings.rng);
        let decision = self.progress.decide(config, &nature, &failure, now, rng);
        let next = decision.and_then(|step| self.pay(step, now));
        let attempts = self.progress.attempts;
        self.tell(|| match next {
            Ok(Paid::Now(delay)) => Event::RetryScheduled { attempt, class, delay },
            Ok(Paid::Later(_)) => Event::RetryAwaitsBudget { attempt, class },
            Err(why) => Event::RetryGaveUp { attempts, class, why },
        });
        match next {
            Ok(Paid::Now(delay)) => Then::Wait(delay),
            Ok(Paid::Later(delay)) => Then::WaitForBudget { delay, class },
            Err(why) => Then::Return(Some(why)),
        }
    }

    /// An attempt is over: it is counted, and what is known of it is the call's.
    fn note_end(&self, delivery: Delivery) {
        self.call.facts().count_attempts(self.progress.attempts);
        self.attempt.state(|state| {
            state.leave_queue();
            state.merge_delivery(delivery);
        });
    }

    /// Pays for the next attempt, as far as it costs anything.
    fn pay(&mut self, step: Step, now: Instant) -> Result<Paid, GaveUp> {
        let settings = &self.pattern.settings;
        if !step.is_free {
            self.pass = settings.budget.withdraw(now);
        }
        match settings.config.when_budget_is_empty {
            _ if step.is_free || self.pass.is_some() => Ok(Paid::Now(step.delay)),
            EmptyBudget::Wait => Ok(Paid::Later(step.delay)),
            EmptyBudget::Fail => Err(GaveUp::Budget),
        }
    }

    /// The next attempt begins; false if the request can't be sent again.
    pub(super) fn restart(&mut self) -> bool {
        let number = self.progress.attempts + 1 + self.call.facts().hedges();
        if !self.attempt.restart(number, self.call.now()) {
            return false;
        }
        self.progress.begin();
        self.call.facts().count_attempts(self.progress.attempts);
        true
    }

    /// The last result, with what it took.
    pub(super) fn last<'h, F>(
        &mut self,
        held: Held<'h, W, F>,
        why: Option<GaveUp>,
    ) -> Held<'h, W, F>
    where
        F: Future<Output = Flow>,
    {
        (self.under_way, self.pass) = (None, None);
        if why.is_some() || self.progress.attempts + self.call.facts().hedges() > 1 {
            held.answer(|head| self.annotate(head, why));
        }
        match held.error() {
            Some(_) => held.map_error(|error| self.finish(error, why)),
            None => held,
        }
    }

    /// Notes on an answer what it took.
    fn annotate(&self, head: &mut Parts, gave_up: Option<GaveUp>) {
        let Progress { attempts, waited, .. } = self.progress;
        let call = self.call.facts();
        call.set_waited(waited);
        let attempts = attempts + call.hedges();
        let earlier = self.progress.earlier(Retries::left_behind(&head.extensions));
        head.extensions.insert(Retries { attempts, waited, gave_up, earlier });
    }

    /// Notes on an error what it took, and the worst that may have happened on the way.
    pub(super) fn finish(&self, error: Error, why: Option<GaveUp>) -> Error {
        let call = self.call.facts();
        call.set_waited(self.progress.waited);
        let error = error.with_context(&self.attempt.context()).with_elapsed(self.call.elapsed());
        let attempts = self.progress.attempts + call.hedges();
        error.merge_delivery(call.delivery()).with_gave_up(why, attempts)
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        let emitter = &self.pattern.settings.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&self.attempt.context()), event);
        }
    }
}
