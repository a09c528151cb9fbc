use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use http::Response;
use http_body::Body;

use super::config::RetryConfig;
use super::future::{Call, State};
use super::state::{Nature, Progress};
use crate::body::{Kept, KeptBody};
use crate::event::Event;
use crate::outcome::Error;
use crate::replay::budget::{Pass, Place};
use crate::rt::{self, Timer};
use crate::terms::{Class, GaveUp};

/// A call whose retry waits until the budget holds one.
pub(super) struct Awaiting<R: Body> {
    attempt: u32,
    class: Class,
    since: Instant,
    /// It backs off until then, and only then joins the line.
    from: Instant,
    place: Place,
    /// What is returned if there is no other attempt; the answer's body is read off, so that its
    /// connection is free again.
    last: Result<Response<Box<Kept<R>>>, Error>,
}

/// What the wait came to.
enum Turn {
    /// There is budget for it.
    Come(Pass),
    /// There is no other attempt.
    Over(GaveUp),
    /// It is asked again then, or when it is woken.
    At(Instant),
}

impl<S, B> Call<S, B>
where
    S: Send + 'static,
    B: Body + Send + 'static,
{
    /// Keeps a result until the budget holds a retry.
    pub(super) fn hold<F, R: Body>(
        &mut self,
        delay: Duration,
        class: Class,
        last: Result<Response<R>, Error>,
    ) -> State<S, F, R> {
        self.context.state().set_held(true);
        let settings = &self.shared.settings;
        let cap = settings.config.drain_cap;
        let since = rt::now();
        let awaiting = Awaiting {
            attempt: self.progress.attempts,
            class,
            since,
            from: rt::after(since, delay),
            place: settings.budget.place(),
            last: last.map(|response| response.map(|body| Kept::new(body, cap))),
        };
        State::Awaiting { timer: Timer::default(), awaiting: Some(Box::new(awaiting)) }
    }

    /// `None` once the budget holds a retry, which is paid for; or what is returned in its place.
    pub(super) fn poll_turn<R: Body>(
        &mut self,
        mut timer: Pin<&mut Timer>,
        awaiting: &mut Option<Box<Awaiting<R>>>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Response<KeptBody<R>>, Error>>> {
        loop {
            let held = awaiting.as_mut().expect("a call that waits has its last result");
            let now = rt::now();
            let turn = match self.context.call().may_repeat() {
                true => held.poll(&self.shared.settings.config, &self.nature, now, cx),
                false => Turn::Over(GaveUp::Stopped),
            };
            let over = match turn {
                Turn::At(at) => {
                    ready!(timer.as_mut().poll_at(at, cx));
                    continue;
                }
                Turn::Come(pass) => {
                    self.pass = Some(pass);
                    None
                }
                Turn::Over(why) => Some(why),
            };
            self.progress.waited += now.saturating_duration_since(held.since);
            let (attempt, class, delay) = (held.attempt, held.class, Duration::ZERO);
            let attempts = self.progress.attempts;
            self.shared.settings.emitter.emit(Some(&self.context), || match over {
                Some(why) => Event::RetryGaveUp { attempts, class, why },
                None => Event::RetryScheduled { attempt, class, delay },
            });
            let held = awaiting.take().filter(|_| over.is_some());
            return Poll::Ready(held.zip(over).map(|(held, why)| self.give_up(*held, why)));
        }
    }

    /// The last result; or why nothing more is sent for anybody.
    fn give_up<R: Body>(
        &self,
        held: Awaiting<R>,
        why: GaveUp,
    ) -> Result<Response<KeptBody<R>>, Error> {
        let refusal = (why == GaveUp::Stopped).then(|| self.context.refusal()).flatten();
        let mut last = refusal.map_or_else(|| held.into_last(), Err);
        if let Ok(response) = &mut last {
            self.annotate(response, Some(why));
        }
        last.map_err(|error| self.finish(error, Some(why)))
    }
}

impl<R: Body> Awaiting<R> {
    fn poll(
        &mut self,
        config: &RetryConfig,
        nature: &Nature,
        now: Instant,
        cx: &mut TaskContext<'_>,
    ) -> Turn {
        if let Ok(response) = &mut self.last {
            response.body_mut().poll(cx);
        }
        // A little before its time is up: it returns what it has, instead of a deadline's error.
        match Progress::check_time(config, nature, rt::after(now, LAST_MOMENT)) {
            Err(GaveUp::Deadline | GaveUp::ElapsedLimit) => return Turn::Over(GaveUp::Budget),
            Err(why) => return Turn::Over(why),
            Ok(()) => {}
        }
        let next = if now < self.from {
            Some(self.from)
        } else {
            match self.place.poll(now, cx.waker()) {
                Ok(pass) => return Turn::Come(pass),
                Err(next) => next,
            }
        };
        let last =
            Progress::ends(config, nature).map(|end| end.checked_sub(LAST_MOMENT).unwrap_or(now));
        let soonest = [next, last].into_iter().flatten().min();
        let look = rt::after(now, LOOK);
        Turn::At(soonest.map_or(look, |at| at.clamp(rt::after(now, SHORTEST), look)))
    }

    fn into_last(self) -> Result<Response<KeptBody<R>>, Error> {
        self.last.map(|response| response.map(KeptBody::kept))
    }
}

/// How often it is seen whether somebody stopped the integration meanwhile.
const LOOK: Duration = Duration::from_secs(1);
/// Nothing that is sent so late comes to anything.
const LAST_MOMENT: Duration = Duration::from_millis(10);
/// What a timer can tell apart.
const SHORTEST: Duration = Duration::from_millis(1);
