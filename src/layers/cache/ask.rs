use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::sync::oneshot;

use super::around::CachePattern;
use super::asked::Asked;
use super::body::ended_early;
use super::fill::{Came, Fill};
use super::flight::{Flight, Landed, Waiter};
use super::given::{CacheStatus, Forwarded};
use super::state::Turn;
use crate::context::{self, AttemptState, Context};
use crate::event::Event;
use crate::freshness::{Directives, Failure};
use crate::pattern::{Attempt, Call, Either, Flow, Next, Wire, either};
use crate::rt;
use crate::terms::CacheOutcome;

impl CachePattern {
    /// The provider must be asked: by a fetch of this call's, or by one that runs.
    pub(super) async fn ask<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
        asked: Arc<Asked>,
    ) -> Flow {
        if let Some(flow) = self.without_asking(attempt, &asked).await {
            return flow;
        }
        for _ in 0..MOST_TURNS {
            let (flight, waiter) = match self.turn(&asked) {
                (Turn::Lead(flight), waiter) => {
                    return self.lead(call, attempt, next, &asked, (flight, waiter)).await;
                }
                (Turn::Follow(flight), waiter) => (flight, waiter),
                (Turn::Alone, _) => break,
            };
            let followed = self.follow(call, attempt, &asked, &flight).await;
            drop(waiter);
            let is_other = match followed {
                Ok(flow) => return flow,
                Err(NotGiven::IsOther) => true,
                Err(NotGiven::IsNotShared) => false,
            };
            // The fetch may have failed, and then one request was enough.
            if let Some(flow) = self.without_asking(attempt, &asked).await {
                return flow;
            }
            if !is_other {
                break;
            }
        }
        self.lead(call, attempt, next, &asked, alone()).await
    }

    /// The stale answer if the provider is left in peace, or none if the request wants only a stored one.
    pub(super) async fn without_asking<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        asked: &Asked,
    ) -> Option<Flow> {
        let quiet = self.settings.shared.quiet(&asked.key, rt::now());
        if let Some(stored) = quiet.and_then(|failure| self.stand_in(asked, failure)) {
            let status = CacheStatus::of(CacheOutcome::StaleIfError, Forwarded::No);
            return Some(self.give(attempt, stored, asked.form(), status).await);
        }
        match asked.directives.only_if_cached {
            true => Some(self.give_nothing(attempt).await),
            false => None,
        }
    }

    /// Fetches the answer. The waiter is kept until it was read.
    async fn lead<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
        asked: &Arc<Asked>,
        (flight, _waiter): (Flight, Option<Waiter>),
    ) -> Flow {
        let forwarded = Forwarded::of(asked, &self.settings.shared.moments());
        let Some((came, context)) = self.begin(asked, flight.clone(), attempt) else {
            return next.run(call, attempt).await;
        };
        let adopting = Adopting { call: attempt.facts(), part: context };
        let came = call.until(self.patience(call, asked), came).await;
        drop(adopting);
        let Some(came) = came else {
            return self.give_late(attempt, asked, forwarded, &flight).await;
        };
        match came.unwrap_or_else(|_| Came::Failed(ended_early())) {
            Came::Confirmed(stored) => {
                let status = CacheStatus::of(CacheOutcome::Revalidated, forwarded);
                let status = status.answered(StatusCode::NOT_MODIFIED);
                self.give(attempt, stored, asked.form(), status).await
            }
            Came::Answered(response) => {
                let failure = self.settings.failure_of(&response);
                let stored = failure.and_then(|failure| self.stand_in(asked, failure));
                let Some(stored) = stored else {
                    return self.give_answer(attempt, *response, forwarded).await;
                };
                let status = CacheStatus::of(CacheOutcome::StaleIfError, forwarded);
                let status = status.answered(response.status());
                // What it holds is needed no longer.
                drop(response);
                self.give(attempt, stored, asked.form(), status).await
            }
            Came::Failed(error) => self.give_instead(attempt, asked, forwarded, error).await,
        }
    }

    /// Waits for another call's fetch, unless its answer isn't for this call.
    async fn follow<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        asked: &Asked,
        flight: &Flight,
    ) -> Result<Flow, NotGiven> {
        flight.lasts_until(call.deadline());
        let forwarded = Forwarded::of(asked, &self.settings.shared.moments());
        attempt.state(|state| {
            state.leave_queue();
            state.call().count_attempts(0);
        });
        let landed = call.until(self.patience(call, asked), flight.landed()).await;
        match landed {
            None => Ok(self.give_late(attempt, asked, forwarded, flight).await),
            Some(Landed::Stored(stored)) => self.give_collapsed(attempt, asked, stored).await,
            Some(Landed::NotShared) => Err(NotGiven::IsNotShared),
            Some(Landed::Failed(error)) => {
                let error = error.said_of(&attempt.context());
                Ok(self.give_instead(attempt, asked, forwarded, error).await)
            }
        }
    }

    /// Until when a call waits that has a stale answer: it must not lose that to its deadline.
    pub(super) fn patience(&self, call: &Call, asked: &Asked) -> Option<Instant> {
        let deadline = call.deadline()?;
        self.stand_in(asked, Failure::ANY)?;
        let left = deadline.saturating_duration_since(call.now());
        Some(call.now() + left - left / PART_FOR_STALE)
    }

    fn turn(&self, asked: &Asked) -> (Turn<Flight>, Option<Waiter>) {
        let Directives { no_store, no_cache, max_age, .. } = asked.directives;
        // An answer that another call asked for earlier may be too old for it.
        match no_store || no_cache || max_age.is_some() {
            true => (Turn::Alone, None),
            false => self.settings.shared.join(&asked.key),
        }
    }

    /// Begins a fetch in a task of its own; `None` outside of a runtime.
    fn begin<W: Wire>(
        &self,
        asked: &Arc<Asked>,
        flight: Flight,
        attempt: &Attempt<W>,
    ) -> Option<(oneshot::Receiver<Came>, Context)> {
        // For one that may become a refresh, callers who leave are no reason to give up.
        let is_refresh = self.stand_in(asked, Failure::ANY).is_some();
        let limit = self.settings.call_limit.filter(|_| is_refresh);
        let fill = self.fill(asked, flight.clone(), attempt, limit);
        flight.lasts_for(fill.context.clone());
        let (to, came) = oneshot::channel();
        let context = fill.context.clone();
        attempt.state(AttemptState::leave_queue);
        rt::spawn(fill.run(to, self.alive.subscribe())).then_some((came, context))
    }

    /// Fetches an answer anew in the background, unless somebody does.
    pub(super) fn refresh<W: Wire>(&self, asked: &Arc<Asked>, attempt: &Attempt<W>) {
        let Some((flight, waiter)) = self.settings.shared.begin_refresh(&asked.key) else { return };
        let mut fill = self.fill(asked, flight.clone(), attempt, self.settings.call_limit);
        let context = fill.context.clone();
        context.call().set_in_background();
        // All its attempts are further in, so that it knows when nothing of it is under way.
        fill.context = context.clone().inside(None, rt::now());
        flight.set_in_background(context.clone());
        let (settings, alive) = (Arc::clone(&self.settings), self.alive.subscribe());
        let key = asked.key.clone();
        rt::spawn(async move {
            let due = rt::after(rt::now(), settings.fetch_limit);
            let gone = either(flight.gave_way(), alive.ended());
            let mut work = pin!(either(fill.refresh(waiter), gone));
            let ended = rt::until(Some(due), work.as_mut()).await;
            match ended {
                Some(Either::Second(Either::First(()))) => return,
                // It was cut. That is noted before calls that wait for it are told, or all would ask again.
                None if context.state().has_not_left() => settings.shared.refused(&key),
                None => settings.shared.failed(&key, context.started(), Failure::ANY),
                Some(_) => {}
            }
            let ok = matches!(ended, Some(Either::First(true)));
            settings.emitter.emit(Some(&context), || Event::CacheRefreshed { ok });
        });
    }

    /// A fetch that may take as long as the call, or longer if a limit is given.
    fn fill<W: Wire>(
        &self,
        asked: &Arc<Asked>,
        flight: Flight,
        attempt: &Attempt<W>,
        limit: Option<Duration>,
    ) -> Fill {
        Fill {
            settings: Arc::clone(&self.settings),
            origin: Arc::clone(&self.origin),
            generation: self.settings.shared.generation(&asked.key),
            context: attempt.context().detached(limit),
            asked: Arc::clone(asked),
            flight,
            landed: OnceLock::new(),
        }
    }
}

/// Why a call doesn't get what another call's fetch has brought.
pub(super) enum NotGiven {
    /// It isn't for others.
    IsNotShared,
    /// It is for requests with other headers.
    IsOther,
}

/// Takes over what a call's fetch came to, whichever way the call ends.
struct Adopting {
    call: Arc<context::Call>,
    part: Context,
}

impl Drop for Adopting {
    fn drop(&mut self) {
        self.call.adopt(self.part.call());
    }
}

/// A fetch that no other call waits for.
fn alone() -> (Flight, Option<Waiter>) {
    let flight = Flight::new();
    let waiter = flight.wait();
    (flight, Some(waiter))
}

/// So a call that has waited for an answer to other headers waits for one to its own, and no longer.
const MOST_TURNS: usize = 2;
/// A tenth of the time left is enough to hand up what is in memory, and no more than a person notices.
const PART_FOR_STALE: u32 = 10;
