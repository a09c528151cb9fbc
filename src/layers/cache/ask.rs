use std::sync::Arc;

use http::StatusCode;
use tokio::sync::oneshot;

use super::around::CachePattern;
use super::asked::Asked;
use super::body::ended_early;
use super::fill::{Came, Fill};
use super::flight::{Flight, Landed, Waiter};
use super::give::StandIn;
use super::given::{CacheStatus, Forwarded};
use super::state::Turn;
use crate::context::{AttemptState, Context};
use crate::event::Event;
use crate::freshness::Directives;
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
        let shared = &self.settings.shared;
        let now = shared.moments();
        let stand_in = |failure, status, forwarded| StandIn {
            failure: Some(failure),
            status,
            forwarded,
            asked: &asked,
        };
        if shared.is_quiet(&asked.key, now.monotonic) {
            let quiet = stand_in(self.settings.known_failure(), None, Forwarded::No);
            if let Some(flow) = self.give_stale(attempt, quiet).await {
                return flow;
            }
        }
        if asked.directives.only_if_cached {
            return self.give_nothing(attempt).await;
        }
        // Of which the waiter is held until the answer was read.
        let (flight, _waiter) = match self.turn(&asked) {
            (Turn::Lead(flight), waiter) => (flight, waiter),
            (Turn::Alone, _) => alone(),
            (Turn::Follow(flight), waiter) => {
                attempt.state(AttemptState::leave_queue);
                match flight.landed().await {
                    Landed::Stored => {
                        if let Some(flow) = self.give_collapsed(attempt, &asked).await {
                            return flow;
                        }
                    }
                    Landed::Failed(error) => {
                        let failure = self.settings.failure_of_error(&error);
                        let stale = stand_in(failure, None, Forwarded::of(&asked, &now));
                        return match self.give_stale(attempt, stale).await {
                            Some(flow) => flow,
                            None => Err(self.failed(attempt, error.said())),
                        };
                    }
                    Landed::NotShared => {}
                }
                drop(waiter);
                alone()
            }
        };
        let Some((came, context)) = self.begin(&asked, flight, attempt) else {
            return next.run(call, attempt).await;
        };
        let came = came.await.unwrap_or_else(|_| Came::Failed(ended_early()));
        attempt.state(|state| state.call().adopt(context.call()));
        let forwarded = Forwarded::of(&asked, &now);
        match came {
            Came::Confirmed(stored) => {
                let mut status = CacheStatus::of(CacheOutcome::Revalidated, forwarded);
                status.status = Some(StatusCode::NOT_MODIFIED);
                self.give(attempt, &stored, &asked, status).await
            }
            Came::Answered(response) => {
                let (head, body) = response.into_parts();
                let failure = self.settings.failure_of(&head);
                let stale =
                    StandIn { failure, status: Some(head.status), forwarded, asked: &asked };
                match self.give_stale(attempt, stale).await {
                    Some(flow) => flow,
                    None => self.give_answer(attempt, head, body, forwarded).await,
                }
            }
            Came::Failed(error) => {
                let failure = self.settings.failure_of_error(&error);
                match self.give_stale(attempt, stand_in(failure, None, forwarded)).await {
                    Some(flow) => flow,
                    None => Err(self.failed(attempt, error)),
                }
            }
        }
    }

    pub(super) fn turn(&self, asked: &Asked) -> (Turn<Flight>, Option<Waiter>) {
        let Directives { no_store, no_cache, max_age, .. } = asked.directives;
        // An answer that another call asked for earlier may be too old for it.
        match no_store || no_cache || max_age.is_some() {
            true => (Turn::Alone, None),
            false => self.settings.shared.join(&asked.key),
        }
    }

    /// Begins a fetch in a task of its own; `None` outside of a runtime.
    pub(super) fn begin<W: Wire>(
        &self,
        asked: &Arc<Asked>,
        flight: Flight,
        attempt: &Attempt<W>,
    ) -> Option<(oneshot::Receiver<Came>, Context)> {
        let fill = self.fill(asked, flight.clone(), attempt);
        let (to, came) = oneshot::channel();
        let context = fill.context.clone();
        attempt.state(AttemptState::leave_queue);
        if rt::spawn(fill.run(to)) {
            return Some((came, context));
        }
        self.settings.shared.end(&asked.key, &flight);
        None
    }

    /// Fetches an answer anew in the background, unless somebody does.
    pub(super) fn refresh<W: Wire>(&self, asked: &Arc<Asked>, attempt: &Attempt<W>) {
        let Some((flight, waiter)) = self.settings.shared.begin_refresh(&asked.key) else { return };
        let fill = self.fill(asked, flight.clone(), attempt);
        let (settings, alive) = (Arc::clone(&self.settings), self.alive.subscribe());
        let limit = settings.fetch_limit;
        let context = fill.context.clone();
        let began = rt::spawn(async move {
            let due = rt::after(rt::now(), limit);
            let ended = alive.ended();
            let work = either(fill.refresh(waiter), ended);
            let ok = rt::until(Some(due), work).await;
            let ok = matches!(ok, Some(Either::First(true)));
            settings.emitter.emit(Some(&context), || Event::CacheRefreshed { ok });
        });
        if !began {
            self.settings.shared.end(&asked.key, &flight);
        }
    }

    pub(super) fn fill<W: Wire>(
        &self,
        asked: &Arc<Asked>,
        flight: Flight,
        attempt: &Attempt<W>,
    ) -> Fill {
        Fill {
            settings: Arc::clone(&self.settings),
            origin: Arc::clone(&self.origin),
            generation: self.settings.shared.generation(&asked.key),
            context: attempt.context().detached(),
            asked: Arc::clone(asked),
            flight,
        }
    }
}

/// A fetch that no other call waits for.
fn alone() -> (Flight, Option<Waiter>) {
    let flight = Flight::new();
    let waiter = flight.wait();
    (flight, Some(waiter))
}
