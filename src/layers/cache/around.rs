use std::pin::pin;
use std::sync::Arc;

use http::header::{CONTENT_LOCATION, LOCATION};
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use tokio::sync::oneshot;

use super::asked::{Asked, RequestHead, Way};
use super::body::{FilledBody, ended_early};
use super::fill::{Came, Fill};
use super::flight::{Flight, Landed, Waiter};
use super::given::{self, CacheStatus, Forwarded};
use super::invalidation::{Invalidation, same_origin};
use super::key::CacheKey;
use super::layer::{Alive, Settings};
use super::origin::Origin;
use super::state::Turn;
use super::stored::StoredAnswer;
use crate::context::{AttemptState, Context};
use crate::event::Event;
use crate::freshness::{Directives, Failure, Moments, Plan};
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt;
use crate::terms::{CacheOutcome, Delivery};

/// Answers from what is stored, as code around a call: what a [`CacheLayer`](super::CacheLayer) makes of
/// its settings. See the [module](super).
#[derive(Clone)]
pub struct CachePattern {
    settings: Arc<Settings>,
    /// What stands further in, for fetches in tasks of their own.
    origin: Arc<dyn Origin>,
    /// Held here and not by fetches, so that refreshes end with the cache.
    alive: Alive,
}

/// What to do with a request.
enum Look {
    Past(Way, Option<CacheKey>),
    /// Give this answer, and perhaps fetch it anew.
    Give(CacheOutcome, Asked),
    Ask(Asked),
}

/// What was given instead of what was asked for.
struct StandIn<'a> {
    failure: Option<Failure>,
    status: Option<StatusCode>,
    forwarded: Forwarded,
    asked: &'a Asked,
}

impl Pattern for CachePattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        match attempt.lend(|request| self.look(request)) {
            // Not an integration's request: it can't be sent by a task.
            None => Box::pin(next.run(call, attempt)).await,
            Some(Look::Past(way, key)) => Box::pin(self.pass(call, attempt, next, way, key)).await,
            Some(Look::Give(outcome, asked)) => {
                let asked = Arc::new(asked);
                if outcome == CacheOutcome::StaleWhileRevalidate {
                    self.refresh(&asked, attempt);
                }
                let status = CacheStatus::of(outcome, Forwarded::No);
                match &asked.known {
                    Some(known) => self.give(attempt, known, &asked, status).await,
                    None => Box::pin(next.run(call, attempt)).await,
                }
            }
            Some(Look::Ask(asked)) if asked.is_head => {
                Box::pin(self.ask_head(call, attempt, next, asked)).await
            }
            Some(Look::Ask(asked)) => {
                Box::pin(self.ask(call, attempt, next, Arc::new(asked))).await
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl CachePattern {
    pub(super) fn new(settings: Arc<Settings>, origin: Arc<dyn Origin>, alive: Alive) -> Self {
        Self { settings, origin, alive }
    }

    fn look(&self, request: &http::Request<crate::Body>) -> Look {
        let Settings { shared, config, .. } = &*self.settings;
        let way = Way::of(request);
        if way == Way::Past {
            return Look::Past(way, None);
        }
        let key = CacheKey::of(request, &shared.partitions);
        if way == Way::Unsafe {
            return Look::Past(way, Some(key));
        }
        let entry = shared.entry(&key);
        let known = entry.as_ref().and_then(|entry| entry.select(request.headers()));
        let asked = Asked {
            is_head: request.method() == http::Method::HEAD,
            directives: Directives::of(request.headers()),
            windows: config.windows_for(request.extensions()),
            request: RequestHead::of(request),
            has_variants: entry.is_some(),
            known,
            key,
        };
        let now = shared.moments();
        let plan = |known: &Arc<StoredAnswer>| {
            known.validity.plan(&asked.directives, &asked.windows, &now)
        };
        let outcome = match asked.known.as_ref().map_or(Plan::Ask, plan) {
            Plan::Fresh => CacheOutcome::Hit,
            // Only the provider can compare what isn't fresh with the caller's own answer.
            _ if way == Way::Compared => return Look::Past(Way::Past, None),
            Plan::Refresh => CacheOutcome::StaleWhileRevalidate,
            Plan::Accepted => CacheOutcome::StaleAccepted,
            Plan::Ask => return Look::Ask(asked),
        };
        Look::Give(outcome, asked)
    }

    /// The call goes past the cache.
    async fn pass<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
        way: Way,
        key: Option<CacheKey>,
    ) -> Flow {
        let mut invalidation = key.map(|key| Invalidation::new(&self.settings.shared, key));
        let uri = attempt.request(|request| request.uri().clone());
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        let forwarded = if way == Way::Unsafe { Forwarded::Method } else { Forwarded::Bypass };
        let located = held.answer(|head| {
            mark(head, CacheStatus::of(CacheOutcome::Bypass, forwarded));
            let named = [LOCATION, CONTENT_LOCATION].map(|name| head.headers.get(&name).cloned());
            (head.status, named)
        });
        if let (Some(invalidation), Some(uri)) = (&mut invalidation, uri) {
            let delivery = match held.error() {
                Some(error) => error.delivery(),
                None => call.facts().delivery(),
            };
            let is_done = matches!(&located, Some((status, _)) if status.is_success() || status.is_redirection());
            match is_done || delivery == Delivery::Unknown {
                true => invalidation.carry_out(),
                false => invalidation.cancel(),
            }
            let named = located.filter(|_| is_done).map(|(_, named)| named);
            for other in named.into_iter().flatten().flatten() {
                if let Some(other) = same_origin(&uri, &other) {
                    invalidation.also(&other);
                }
            }
        }
        self.told(attempt, CacheOutcome::Bypass);
        held.hand_up().await
    }

    /// A HEAD that can't be answered from the store goes to the provider, and what it says is compared
    /// with what is stored (RFC 9111, 4.3.5).
    async fn ask_head<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
        asked: Asked,
    ) -> Flow {
        if asked.directives.only_if_cached {
            return self.give_nothing(attempt).await;
        }
        let shared = &self.settings.shared;
        let (generation, sent) = (shared.generation(&asked.key), call.now());
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        let head = held.answer(|head| {
            let headers = head.headers.clone();
            mark(head, CacheStatus::of(CacheOutcome::Miss, forwarded(&asked, &shared.moments())));
            (head.status, headers)
        });
        match (&asked.known, head) {
            (Some(known), Some((StatusCode::OK, headers))) if known.is_outdated_by(&headers) => {
                shared.forget(&asked.key, &asked.request.headers);
            }
            (Some(known), Some((StatusCode::OK, headers))) => {
                let confirmed = known.confirmed(&headers, sent, shared.moments());
                shared.put(&asked.key, Arc::new(confirmed), generation);
            }
            _ => {}
        }
        self.told(attempt, CacheOutcome::Miss);
        held.hand_up().await
    }

    /// The provider must be asked: by a fetch of this call's, or by one that runs.
    async fn ask<W: Wire>(
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
                        let stale = stand_in(failure, None, forwarded(&asked, &now));
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
        let forwarded = forwarded(&asked, &now);
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
    fn refresh<W: Wire>(&self, asked: &Arc<Asked>, attempt: &Attempt<W>) {
        let Some((flight, waiter)) = self.settings.shared.begin_refresh(&asked.key) else { return };
        let fill = self.fill(asked, flight.clone(), attempt);
        let (settings, alive) = (Arc::clone(&self.settings), self.alive.subscribe());
        let limit = settings.fetch_limit;
        let context = fill.context.clone();
        let began = rt::spawn(async move {
            let due = rt::after(rt::now(), limit);
            let ended = alive.ended();
            let work = crate::pattern::either(fill.refresh(waiter), ended);
            let ok = rt::until(Some(due), work).await;
            let ok = matches!(ok, Some(crate::pattern::Either::First(true)));
            settings.emitter.emit(Some(&context), || Event::CacheRefreshed { ok });
        });
        if !began {
            self.settings.shared.end(&asked.key, &flight);
        }
    }

    fn fill<W: Wire>(&self, asked: &Arc<Asked>, flight: Flight, attempt: &Attempt<W>) -> Fill {
        Fill {
            settings: Arc::clone(&self.settings),
            origin: Arc::clone(&self.origin),
            generation: self.settings.shared.generation(&asked.key),
            context: attempt.context().detached(),
            asked: Arc::clone(asked),
            flight,
        }
    }

    // === what the call gets ===

    async fn give<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        stored: &StoredAnswer,
        asked: &Asked,
        status: CacheStatus,
    ) -> Flow {
        let outcome = status.outcome;
        attempt.state(|state| {
            state.leave_queue();
            if outcome.is_from_store() && !state.call().is_counted() {
                state.call().count_attempts(0);
            }
        });
        let now = self.settings.shared.moments();
        let response = given::response(stored, asked, &now, status);
        self.told(attempt, outcome);
        attempt.play(response).await
    }

    /// Gives the stale answer that may stand in for a failure, if there is one.
    async fn give_stale<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        StandIn { failure, status, forwarded, asked }: StandIn<'_>,
    ) -> Option<Flow> {
        let (failure, known) = (failure?, asked.known.as_ref()?);
        let now = self.settings.shared.moments();
        if !known.validity.stands_in(failure, &asked.directives, &asked.windows, &now) {
            return None;
        }
        let status =
            CacheStatus { status, ..CacheStatus::of(CacheOutcome::StaleIfError, forwarded) };
        Some(self.give(attempt, known, asked, status).await)
    }

    /// Gives what another call's fetch has stored, if this call may have it.
    async fn give_collapsed<W: Wire>(&self, attempt: &Attempt<W>, asked: &Asked) -> Option<Flow> {
        let shared = &self.settings.shared;
        let stored = shared.entry(&asked.key)?.select(&asked.request.headers)?;
        let now = shared.moments();
        let plan = stored.validity.plan(&asked.directives, &asked.windows, &now);
        if plan == Plan::Ask && !stored.validity.may_be_stale() {
            return None;
        }
        let status = CacheStatus::of(CacheOutcome::Collapsed, forwarded(asked, &now));
        Some(self.give(attempt, &stored, asked, status).await)
    }

    async fn give_answer<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        mut head: Parts,
        body: FilledBody,
        forwarded: Forwarded,
    ) -> Flow {
        mark(&mut head, CacheStatus::of(CacheOutcome::Miss, forwarded));
        self.told(attempt, CacheOutcome::Miss);
        attempt.play(Response::from_parts(head, body)).await
    }

    async fn give_nothing<W: Wire>(&self, attempt: &Attempt<W>) -> Flow {
        attempt.state(|state| {
            state.leave_queue();
            state.call().count_attempts(0);
        });
        self.told(attempt, CacheOutcome::Miss);
        attempt.play(given::nothing_stored()).await
    }

    fn failed<W: Wire>(&self, attempt: &Attempt<W>, error: Error) -> Error {
        self.told(attempt, CacheOutcome::Miss);
        error.with_context(&attempt.context())
    }

    /// Counts what the cache did for a call, and emits it.
    fn told<W: Wire>(&self, attempt: &Attempt<W>, outcome: CacheOutcome) {
        self.settings.shared.count(outcome);
        let emitter = &self.settings.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&attempt.context()), || Event::CacheAnswered { outcome });
        }
    }
}

/// A fetch that no other call waits for.
fn alone() -> (Flight, Option<Waiter>) {
    let flight = Flight::new();
    let waiter = flight.wait();
    (flight, Some(waiter))
}

/// Why the provider is asked.
fn forwarded(asked: &Asked, now: &Moments) -> Forwarded {
    match &asked.known {
        None if asked.has_variants => Forwarded::VaryMiss,
        None => Forwarded::UriMiss,
        Some(known) if known.validity.age(now) < known.validity.lifetime(&asked.windows) => {
            Forwarded::Request
        }
        Some(_) => Forwarded::Stale,
    }
}

/// Says on an answer of the provider's what the cache did.
fn mark(head: &mut Parts, status: CacheStatus) {
    let headers: &mut HeaderMap = &mut head.headers;
    status.write(headers);
    head.extensions.insert(status.outcome);
}

impl std::fmt::Debug for CachePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachePattern").field("settings", &self.settings).finish_non_exhaustive()
    }
}
