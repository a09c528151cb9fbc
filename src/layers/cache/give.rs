use http::response::Parts;
use http::{Response, StatusCode};

use super::around::CachePattern;
use super::asked::Asked;
use super::body::FilledBody;
use super::given::{self, CacheStatus, Forwarded, mark};
use super::stored::StoredAnswer;
use crate::event::Event;
use crate::freshness::{Failure, Plan};
use crate::outcome::Error;
use crate::pattern::{Attempt, Flow, Wire};
use crate::terms::CacheOutcome;

/// What was given instead of what was asked for.
pub(super) struct StandIn<'a> {
    pub(super) failure: Option<Failure>,
    pub(super) status: Option<StatusCode>,
    pub(super) forwarded: Forwarded,
    pub(super) asked: &'a Asked,
}

impl CachePattern {
    pub(super) async fn give<W: Wire>(
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
    pub(super) async fn give_stale<W: Wire>(
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
    pub(super) async fn give_collapsed<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        asked: &Asked,
    ) -> Option<Flow> {
        let shared = &self.settings.shared;
        let stored = shared.entry(&asked.key)?.select(&asked.request.headers)?;
        let now = shared.moments();
        let plan = stored.validity.plan(&asked.directives, &asked.windows, &now);
        if plan == Plan::Ask && !stored.validity.may_be_stale() {
            return None;
        }
        let status = CacheStatus::of(CacheOutcome::Collapsed, Forwarded::of(asked, &now));
        Some(self.give(attempt, &stored, asked, status).await)
    }

    pub(super) async fn give_answer<W: Wire>(
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

    pub(super) async fn give_nothing<W: Wire>(&self, attempt: &Attempt<W>) -> Flow {
        attempt.state(|state| {
            state.leave_queue();
            state.call().count_attempts(0);
        });
        self.told(attempt, CacheOutcome::Miss);
        attempt.play(given::nothing_stored()).await
    }

    pub(super) fn failed<W: Wire>(&self, attempt: &Attempt<W>, error: Error) -> Error {
        self.told(attempt, CacheOutcome::Miss);
        error.with_context(&attempt.context())
    }

    /// Counts what the cache did for a call, and emits it.
    pub(super) fn told<W: Wire>(&self, attempt: &Attempt<W>, outcome: CacheOutcome) {
        self.settings.shared.count(outcome);
        let emitter = &self.settings.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&attempt.context()), || Event::CacheAnswered { outcome });
        }
    }
}
