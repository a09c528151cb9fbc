//! The wait between two attempts.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::run::Run;
use super::state::Progress;
use crate::body::Allowance;
use crate::event::Event;
use crate::outcome::{Error, ErrorKind};
use crate::pattern::{Either, Flow, Held, ReadOff, Wire, either};
use crate::replay::budget::RetryPermit;
use crate::rt;
use crate::terms::{Class, Delivery, GaveUp, Rejection};

/// What a wait came to.
pub(super) enum Turn<'a, W: Wire, F> {
    /// The next attempt goes out.
    Come,
    /// It goes out then; the failed answer is too large to be kept until then.
    TooLarge(Instant),
    /// There is none: the last result stands.
    Over(Held<'a, W, F>, GaveUp),
}

impl<W: Wire> Run<'_, W> {
    /// Waits for so long. The failed answer is read off meanwhile, so that its connection can be used
    /// again.
    pub(super) async fn wait<'h, F>(
        &mut self,
        delay: Duration,
        mut held: Held<'h, W, F>,
    ) -> Turn<'h, W, F>
    where
        F: Future<Output = Flow>,
    {
        let until = rt::after(self.begin_wait(), delay);
        let mut left = Allowance::new(self.pattern.settings.config.drain_cap);
        let read = self.call.until(until, held.read_off(&mut left, ReadOff::Keep)).await;
        self.progress.waited += delay;
        if read.is_some() {
            return Turn::TooLarge(until);
        }
        if self.call.facts().may_repeat() {
            return Turn::Come;
        }
        // Somebody stopped the integration, or its retries.
        let class = held.class(&self.pattern.settings.classifier);
        let (attempts, why) = (self.progress.attempts, GaveUp::Stopped);
        self.tell(|| Event::RetryGaveUp { attempts, class, why });
        Turn::Over(held, why)
    }

    /// Waits for so long, and then in line until the budget holds a retry.
    pub(super) async fn wait_for_budget<'h, F>(
        &mut self,
        delay: Duration,
        class: Class,
        mut held: Held<'h, W, F>,
    ) -> Turn<'h, W, F>
    where
        F: Future<Output = Flow>,
    {
        // An attempt that went out, or would have.
        let attempt = self.progress.attempts;
        let since = self.begin_wait();
        let mut left = Allowance::new(self.pattern.settings.config.drain_cap);
        let turn = {
            let read = async {
                held.read_off(&mut left, ReadOff::Keep).await;
                // The rest of it is left where it is.
                std::future::pending::<()>().await;
            };
            match either(either(self.turn(delay), self.attempt.stopped()), read).await {
                Either::First(Either::First(turn)) => turn,
                Either::First(Either::Second(())) | Either::Second(()) => Err(GaveUp::Stopped),
            }
        };
        self.progress.waited += self.call.now().saturating_duration_since(since);
        self.tell(|| match turn {
            Ok(_) => Event::RetryScheduled { attempt, class, delay: Duration::ZERO },
            Err(why) => Event::RetryGaveUp { attempts: attempt, class, why },
        });
        match turn {
            Ok(permit) => {
                self.pass = Some(permit);
                Turn::Come
            }
            Err(why) => Turn::Over(held, why),
        }
    }

    /// Why a call ends whose retries were stopped, and whose last answer wasn't kept.
    pub(super) fn stopped(&self) -> Error {
        let stopped = || {
            Error::new(ErrorKind::Rejected(Rejection::Stopped), Delivery::Answered)
                .with_detail("retries were stopped, and the last answer was too large to be kept")
        };
        self.finish(self.attempt.refusal().unwrap_or_else(stopped), Some(GaveUp::Stopped))
    }

    /// The request is here until the next attempt goes out.
    fn begin_wait(&mut self) -> Instant {
        self.concluded = Some(self.attempt.context());
        self.attempt.conclude();
        self.call.now()
    }

    /// Ready when the budget holds a retry, or there will be none.
    async fn turn(&self, delay: Duration) -> Result<RetryPermit, GaveUp> {
        let (config, call, nature) = (&self.pattern.settings.config, self.call, self.nature());
        let mut place = self.pattern.settings.budget.place();
        let from = rt::after(call.now(), delay);
        poll_fn(|cx| {
            let now = call.now();
            // A little before its time is up: it returns what it has, instead of a deadline's error.
            match Progress::check_time(config, &nature, rt::after(now, LAST_MOMENT)) {
                Err(GaveUp::Deadline | GaveUp::ElapsedLimit) => {
                    return Poll::Ready(Err(GaveUp::Budget));
                }
                Err(why) => return Poll::Ready(Err(why)),
                Ok(()) => {}
            }
            let next = match now < from {
                true => Some(from),
                false => match place.poll(now, cx.waker()) {
                    Ok(pass) => return Poll::Ready(Ok(pass)),
                    Err(next) => next,
                },
            };
            let ends = Progress::ends(config, &nature);
            let last = ends.map(|end| end.checked_sub(LAST_MOMENT).unwrap_or(now));
            if let Some(soonest) = [next, last].into_iter().flatten().min() {
                call.wake_at(soonest.max(rt::after(now, SHORTEST)));
            }
            Poll::Pending
        })
        .await
    }

    /// Hands up the last result; or says why nothing more is sent for anybody.
    pub(super) async fn give_up<F>(mut self, held: Held<'_, W, F>, why: GaveUp) -> Flow
    where
        F: Future<Output = Flow>,
    {
        let refusal = (why == GaveUp::Stopped).then(|| self.attempt.refusal()).flatten();
        match refusal {
            Some(refusal) => Err(self.finish(refusal, Some(why))),
            None => {
                // The last attempt goes on, to the end of its body.
                if let Some(context) = self.concluded.take() {
                    self.attempt.resume(context);
                }
                self.last(held, Some(why)).hand_up().await
            }
        }
    }
}

/// Nothing that is sent so late comes to anything.
const LAST_MOMENT: Duration = Duration::from_millis(10);
/// What a timer can tell apart.
const SHORTEST: Duration = Duration::from_millis(1);
