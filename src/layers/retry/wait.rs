//! The wait between two attempts.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::run::Run;
use super::state::AttemptHistory;
use crate::body::Allowance;
use crate::event::Event;
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Either, Flow, Held, ReadOff, Wire, either};
use crate::replay::budget::RetryPermit;
use crate::rt;
use crate::terms::{Class, Delivery, GaveUp, Rejection};

/// How a wait ended.
pub(super) enum WaitOutcome<'a, W: Wire, F> {
    /// The next attempt is sent.
    Retry,
    /// It is sent then; the failed answer is too large to be kept until then.
    TooLarge(Instant),
    /// There is no other attempt: the last result is returned.
    GiveUp(Held<'a, W, F>, GaveUp),
}

impl<W: Wire> Run<'_, W> {
    /// Waits for `delay`. The failed answer's body is read meanwhile, so that its connection can be
    /// reused.
    pub(super) async fn wait<'h, F>(
        &mut self,
        delay: Duration,
        mut held: Held<'h, W, F>,
    ) -> WaitOutcome<'h, W, F>
    where
        F: Future<Output = Flow>,
    {
        let until = rt::after(self.begin_wait(), delay);
        let mut left = Allowance::new(self.pattern.settings.config.drain_cap);
        let read = self.call.until(until, held.read_off(&mut left, ReadOff::Keep)).await;
        self.history.waited += delay;
        if read.is_some() {
            return WaitOutcome::TooLarge(until);
        }
        if self.call.facts().may_repeat() {
            return WaitOutcome::Retry;
        }
        // A kill switch stopped the integration or its retries.
        let class = held.class(&self.pattern.settings.classifier);
        let (attempts, why) = (self.history.attempts, GaveUp::Stopped);
        self.emit_event(|| Event::RetryGaveUp { attempts, class, why });
        WaitOutcome::GiveUp(held, why)
    }

    /// Waits for `delay`, and then in the budget's queue for a permit.
    pub(super) async fn wait_for_budget<'h, F>(
        &mut self,
        delay: Duration,
        class: Class,
        mut held: Held<'h, W, F>,
    ) -> WaitOutcome<'h, W, F>
    where
        F: Future<Output = Flow>,
    {
        // It counts an attempt that was refused before it was sent, too.
        let attempt = self.history.attempts;
        let since = self.begin_wait();
        let mut left = Allowance::new(self.pattern.settings.config.drain_cap);
        let granted = {
            let read = async {
                held.read_off(&mut left, ReadOff::Keep).await;
                // What is over the limit stays unread.
                std::future::pending::<()>().await;
            };
            match either(either(self.budget_permit(delay), self.attempt.stopped()), read).await {
                Either::First(Either::First(granted)) => granted,
                Either::First(Either::Second(())) | Either::Second(()) => Err(GaveUp::Stopped),
            }
        };
        self.history.waited += self.call.now().saturating_duration_since(since);
        self.emit_event(|| match granted {
            Ok(_) => Event::RetryScheduled { attempt, class, delay: Duration::ZERO },
            Err(why) => Event::RetryGaveUp { attempts: attempt, class, why },
        });
        match granted {
            Ok(permit) => {
                self.permit = Some(permit);
                WaitOutcome::Retry
            }
            Err(why) => WaitOutcome::GiveUp(held, why),
        }
    }

    /// The error of a call whose retries were stopped, and whose last answer wasn't kept.
    pub(super) fn stopped(&self) -> Error {
        let stopped = || {
            Error::new(ErrorKind::Rejected(Rejection::Stopped), Delivery::Answered)
                .with_detail("retries were stopped, and the last answer was too large to be kept")
        };
        self.finish(self.attempt.refusal().unwrap_or_else(stopped), Some(GaveUp::Stopped))
    }

    /// Ends the last attempt; the call holds the request until the next.
    fn begin_wait(&mut self) -> Instant {
        self.concluded = Some(self.attempt.context());
        self.attempt.conclude();
        self.call.now()
    }

    /// Waits for the budget's permit, or returns why there will be none.
    async fn budget_permit(&self, delay: Duration) -> Result<RetryPermit, GaveUp> {
        let (config, call, traits) = (&self.pattern.settings.config, self.call, self.traits());
        let mut entry = self.pattern.settings.budget.place();
        let from = rt::after(call.now(), delay);
        poll_fn(|cx| {
            let now = call.now();
            // A little before its time is up, it returns its last result instead of a timeout.
            match AttemptHistory::check_time(config, &traits, rt::after(now, END_MARGIN)) {
                Err(GaveUp::Deadline | GaveUp::ElapsedLimit) => {
                    return Poll::Ready(Err(GaveUp::Budget));
                }
                Err(why) => return Poll::Ready(Err(why)),
                Ok(()) => {}
            }
            let next = match now < from {
                true => Some(from),
                false => match entry.poll(now, cx.waker()) {
                    Ok(permit) => return Poll::Ready(Ok(permit)),
                    Err(next) => next,
                },
            };
            let ends = AttemptHistory::ends(config, &traits);
            let last = ends.map(|end| end.checked_sub(END_MARGIN).unwrap_or(now));
            if let Some(soonest) = [next, last].into_iter().flatten().min() {
                call.wake_at(soonest.max(rt::after(now, MIN_TIMER)));
            }
            Poll::Pending
        })
        .await
    }

    /// Returns the last result, or the kill switch's error.
    pub(super) async fn give_up<F>(mut self, held: Held<'_, W, F>, why: GaveUp) -> Flow
    where
        F: Future<Output = Flow>,
    {
        let refusal = (why == GaveUp::Stopped).then(|| self.attempt.refusal()).flatten();
        match refusal {
            Some(refusal) => Err(self.finish(refusal, Some(why))),
            None => {
                // The last attempt continues to the end of its body.
                if let Some(context) = self.concluded.take() {
                    self.attempt.resume(context);
                }
                self.last(held, Some(why)).hand_up().await
            }
        }
    }
}

/// An attempt that is sent so late before the end can't succeed.
const END_MARGIN: Duration = Duration::from_millis(10);
/// The resolution of timers.
const MIN_TIMER: Duration = Duration::from_millis(1);
