use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, Response};
use http_body_util::Full;

use super::around::CachePattern;
use super::ask::NotGiven;
use super::asked::Asked;
use super::body::FilledBody;
use super::flight::Flight;
use super::given::{self, CacheStatus, Form, Forwarded, mark};
use super::stored::StoredAnswer;
use crate::event::Event;
use crate::freshness::{Failure, Plan};
use crate::outcome::Error;
use crate::pattern::{Attempt, Flow, WholeAnswer, Wire};
use crate::terms::{CacheOutcome, Delivery, Phase};

impl CachePattern {
    /// Gives a stored answer.
    pub(super) async fn give<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        stored: Arc<StoredAnswer>,
        form: Form,
        status: CacheStatus,
    ) -> Flow {
        let age = stored.validity.age(&self.settings.shared.moments());
        self.give_at(age, attempt, stored, form, status).await
    }

    /// The same at this age, which is its age now.
    pub(super) async fn give_at<W: Wire>(
        &self,
        age: Duration,
        attempt: &Attempt<W>,
        stored: Arc<StoredAnswer>,
        form: Form,
        status: CacheStatus,
    ) -> Flow {
        let outcome = status.outcome;
        attempt.state(|state| {
            state.leave_queue();
            if outcome.is_from_store() && !state.call().is_counted() {
                state.call().count_attempts(0);
            }
        });
        let WholeAnswer { head, body } =
            given::whole(&stored, form, age, status, Extensions::new());
        drop(stored);
        self.told(attempt, outcome, Some(age));
        attempt.play(Response::from_parts(head, Full::new(body))).await
    }

    /// The stale answer that may stand in for a failure, if there is one.
    pub(super) fn stand_in(&self, asked: &Asked, failure: Failure) -> Option<Arc<StoredAnswer>> {
        asked.stand_in(failure, &self.settings.shared.moments()).cloned()
    }

    /// Gives the stale answer in place of an error, or the error.
    pub(super) async fn give_instead<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        asked: &Asked,
        forwarded: Forwarded,
        error: Error,
    ) -> Flow {
        let failure = self.settings.failure_of_error(&error);
        let Some(stored) = self.stand_in(asked, failure) else {
            self.told(attempt, CacheOutcome::Miss, None);
            return Err(error.with_context(&attempt.context()));
        };
        drop(error);
        let status = CacheStatus::of(CacheOutcome::StaleIfError, forwarded);
        self.give(attempt, stored, asked.form(), status).await
    }

    /// Gives the stale answer because the call's time runs out. The fetch goes on; meanwhile the next calls
    /// don't wait for it as long.
    pub(super) async fn give_late<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        asked: &Asked,
        forwarded: Forwarded,
        flight: &Flight,
    ) -> Flow {
        if flight.is_first_late() {
            let began = attempt.facts().started;
            self.settings.shared.failed(&asked.key, began, Failure::ANY);
        }
        self.give_instead(attempt, asked, forwarded, too_late()).await
    }

    /// Gives what another call's fetch has stored, if this call may have it.
    pub(super) async fn give_collapsed<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        asked: &Asked,
        stored: Arc<StoredAnswer>,
    ) -> Result<Flow, NotGiven> {
        if !stored.is_for(&asked.request.headers) {
            return Err(NotGiven::IsOther);
        }
        let now = self.settings.shared.moments();
        let age = stored.validity.age(&now);
        let plan = stored.validity.plan(&asked.directives, &asked.windows, age);
        if plan == Plan::Ask && !stored.validity.may_be_stale() {
            // Nor is the next one, so nobody should wait for it.
            self.settings.shared.not_shared(&asked.key);
            return Err(NotGiven::IsNotShared);
        }
        if plan == Plan::Ask && asked.directives.min_fresh.is_some() {
            return Err(NotGiven::IsNotShared);
        }
        let status = CacheStatus::of(CacheOutcome::Collapsed, Forwarded::of(asked, &now));
        Ok(self.give(attempt, stored, asked.form(), status).await)
    }

    /// Gives the provider's answer.
    pub(super) async fn give_answer<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        response: Response<FilledBody>,
        forwarded: Forwarded,
    ) -> Flow {
        let (mut head, body) = response.into_parts();
        mark(&mut head, CacheStatus::of(CacheOutcome::Miss, forwarded));
        self.told(attempt, CacheOutcome::Miss, None);
        attempt.play(Response::from_parts(head, body)).await
    }

    /// Answers that nothing is stored.
    pub(super) async fn give_nothing<W: Wire>(&self, attempt: &Attempt<W>) -> Flow {
        attempt.state(|state| {
            state.leave_queue();
            state.call().count_attempts(0);
        });
        self.told(attempt, CacheOutcome::Miss, None);
        attempt.play(given::nothing_stored()).await
    }

    /// Counts what the cache did for a call, and emits it, with the age of the stored answer that it gave.
    pub(super) fn told<W: Wire>(
        &self,
        attempt: &Attempt<W>,
        outcome: CacheOutcome,
        age: Option<Duration>,
    ) {
        self.settings.shared.count(outcome);
        let emitter = &self.settings.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&attempt.context()), || Event::CacheAnswered { outcome, age });
        }
    }
}

/// A call's time runs out, and a stale answer may be given.
pub(super) fn too_late() -> Error {
    Error::timeout(Phase::Call, Duration::ZERO, Delivery::Unknown)
}
