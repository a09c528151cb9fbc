use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use http::header::{CONTENT_LOCATION, HeaderName, LOCATION};
use http::{HeaderMap, StatusCode};

use super::around::CachePattern;
use super::asked::{Asked, Way};
use super::give::too_late;
use super::given::{CacheStatus, Forwarded, mark};
use super::invalidation::{Invalidation, same_origin};
use super::parts::{is_as_it_says, is_redirected};
use super::shared::Generation;
use super::stored::StoredAnswer;
use crate::context::{AttemptState, Context};
use crate::freshness::{Failure, strings};
use crate::outcome::{Error, LeftAlone};
use crate::pattern::{Attempt, Call, Flow, Held, Next, Wire};
use crate::terms::{CacheOutcome, Delivery};

impl CachePattern {
    /// The call goes past the cache.
    pub(super) async fn pass<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
        way: Way,
        outdated: Option<String>,
    ) -> Flow {
        let mut invalidation = outdated.map(|uri| Invalidation::new(&self.settings.shared, uri));
        let uri = attempt.request(|request| request.uri().clone());
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        let forwarded = if way == Way::Unsafe { Forwarded::Method } else { Forwarded::Bypass };
        let located = held.answer(|head| {
            mark(head, CacheStatus::of(CacheOutcome::Bypass, forwarded));
            let named = [LOCATION, CONTENT_LOCATION].map(|name| head.headers.get(&name).cloned());
            let groups = strings(&head.headers, &CACHE_GROUP_INVALIDATION);
            let is_left_alone = head.extensions.get::<LeftAlone>().is_some();
            (
                Told { status: head.status, is_redirected: is_redirected(head), is_left_alone },
                named,
                groups,
            )
        });
        if let (Some(invalidation), Some(uri)) = (&mut invalidation, uri) {
            let told = located.as_ref().map(|(told, ..)| told);
            match may_have_changed(told, held.error(), &attempt.context()) {
                true => invalidation.carry_out(),
                false => invalidation.cancel(),
            }
            if let Some((told, named, groups)) = located {
                let named = named.into_iter().flatten().filter(|_| told.is_done());
                let named = named.filter_map(|other| same_origin(&uri, &other));
                named.for_each(|other| invalidation.also(&other));
                // Whoever names groups means it, whatever the status.
                invalidation.groups(&groups);
            }
        }
        self.told(attempt, CacheOutcome::Bypass, None);
        held.hand_up().await
    }

    /// A HEAD that can't be answered from the store goes to the provider, and what it says is compared
    /// with what is stored (RFC 9111, 4.3.5).
    pub(super) async fn ask_head<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
        asked: Arc<Asked>,
    ) -> Flow {
        if let Some(flow) = self.without_asking(attempt, &asked).await {
            return flow;
        }
        let shared = &self.settings.shared;
        let forwarded = Forwarded::of(&asked, &shared.moments());
        let began = (shared.generation(&asked.key), call.now());
        let instead = {
            let mut running = pin!(next.run(call, attempt));
            let head = attempt.head(running.as_mut());
            match call.until(self.patience(call, &asked), head).await {
                None => {
                    attempt.state(AttemptState::mark_call_cut);
                    shared.failed(&asked.key, began.1, Failure::ANY);
                    Err(too_late())
                }
                Some(held) => {
                    let Some(stored) = self.stored_instead(&held, &asked, began) else {
                        let missed = CacheStatus::of(CacheOutcome::Miss, forwarded);
                        held.answer(|head| mark(head, missed));
                        self.told(attempt, CacheOutcome::Miss, None);
                        return held.hand_up().await;
                    };
                    let status = held.answer(|head| head.status);
                    held.discard();
                    Ok((stored, status))
                }
            }
            // What failed is dropped here, with all that it holds.
        };
        attempt.state(AttemptState::clear_call_cut);
        attempt.forget_answer();
        match instead {
            Ok((stored, status)) => {
                let failed = CacheStatus::of(CacheOutcome::StaleIfError, forwarded);
                self.give(attempt, stored, asked.form(), CacheStatus { status, ..failed }).await
            }
            Err(error) => self.give_instead(attempt, &asked, forwarded, error).await,
        }
    }

    /// Looks at what a HEAD came to, and remembers it. Returns the stale answer that stands in for it, if it
    /// is a failure.
    fn stored_instead<W: Wire, F: Future<Output = Flow>>(
        &self,
        held: &Held<'_, W, F>,
        asked: &Asked,
        began: (Generation, Instant),
    ) -> Option<Arc<StoredAnswer>> {
        let settings = &self.settings;
        let failure = match held.error() {
            Some(error) => Some(settings.failure_of_error(error)),
            None => held.answer(|head| {
                let class = settings.class_of(head);
                let failure = settings.failure_of_class(head.status, class);
                if head.status == StatusCode::OK
                    && is_as_it_says(head, class)
                    && !is_redirected(head)
                {
                    self.compare(asked, &head.headers, began);
                }
                failure
            })?,
        };
        // A refusal here says nothing of the provider.
        if !held.error().is_some_and(Error::is_rejected) {
            settings.shared.note(asked, began.1, failure);
        }
        self.stand_in(asked, failure?)
    }

    /// Freshens or drops what is stored, as the 200 to a HEAD says. It was asked for in this generation
    /// and at this time.
    fn compare(&self, asked: &Asked, by: &HeaderMap, (generation, sent): (Generation, Instant)) {
        let Some(known) = &asked.known else { return };
        let shared = &self.settings.shared;
        if known.status != StatusCode::OK || known.is_outdated_by(by) {
            return shared.forget(asked);
        }
        let confirmed = known.confirmed(&asked.request.headers, by, sent, shared.moments());
        shared.confirm(asked, &Arc::new(confirmed), generation);
    }
}

/// What an answer to an unsafe call tells of what became of it.
struct Told {
    status: StatusCode,
    /// It came after a redirect: who redirects may have acted.
    is_redirected: bool,
    /// The provider says that it didn't act.
    is_left_alone: bool,
}

impl Told {
    fn is_done(&self) -> bool {
        self.status.is_success() || self.status.is_redirection()
    }
}

/// Whether an unsafe call that came to this answer, or to this error, may have changed something.
fn may_have_changed(told: Option<&Told>, error: Option<&Error>, context: &Context) -> bool {
    let call = context.call();
    let delivery = match (told, error) {
        (Some(told), _) if told.is_done() || told.is_redirected => return true,
        (_, Some(error)) => error.delivery(),
        (Some(told), _) if told.is_left_alone => call.delivery(),
        _ => call.delivery_of_answer(),
    };
    let status = told.map_or_else(|| call.last_status(), |told| Some(told.status));
    match delivery {
        Delivery::NotSent => false,
        // An earlier attempt may have acted: a DELETE that is repeated comes to 404. A gateway that answers
        // 504 doesn't know what became of the call.
        Delivery::Answered => {
            let is_repeated = context.attempts_counted().is_some_and(|sent| sent > 1);
            is_repeated || !status.is_some_and(|status| status.is_client_error())
        }
        Delivery::Unknown => true,
    }
}

const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
