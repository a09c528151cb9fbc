use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use http::header::{CONTENT_LOCATION, HeaderName, LOCATION};
use http::{HeaderMap, StatusCode};

use super::around::CachePattern;
use super::asked::{Asked, Way};
use super::given::{CacheStatus, Forwarded, mark};
use super::invalidation::{Invalidation, same_origin};
use super::shared::Generation;
use crate::freshness::strings;
use crate::pattern::{Attempt, Call, Flow, Next, Wire};
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
            (head.status, named, strings(&head.headers, &CACHE_GROUP_INVALIDATION))
        });
        if let (Some(invalidation), Some(uri)) = (&mut invalidation, uri) {
            let delivery = match held.error() {
                Some(error) => error.delivery(),
                None => call.facts().delivery(),
            };
            let is_done = matches!(&located, Some((status, ..)) if status.is_success() || status.is_redirection());
            // A gateway that answers 504 doesn't know what became of the call.
            let is_answered = delivery != Delivery::NotSent;
            let may_be_done =
                matches!(&located, Some((status, ..)) if status.is_server_error()) && is_answered;
            match is_done || may_be_done || delivery == Delivery::Unknown {
                true => invalidation.carry_out(),
                false => invalidation.cancel(),
            }
            if let Some((_, named, groups)) = located {
                let named = named.into_iter().flatten().filter(|_| is_done);
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
        let forwarded = Forwarded::of(&asked, &self.settings.shared.moments());
        let (stored, status) = {
            let began = (self.settings.shared.generation(&asked.key), call.now());
            let mut running = pin!(next.run(call, attempt));
            let held = attempt.head(running.as_mut()).await;
            let head =
                held.answer(|head| (head.status, head.headers.clone(), head.extensions.clone()));
            let failure = match (&head, held.error()) {
                (_, Some(error)) => Some(self.settings.failure_of_error(error)),
                (Some((status, headers, extensions)), None) => {
                    self.settings.failure_of_parts(*status, headers, extensions)
                }
                (None, None) => None,
            };
            let Some(stored) = failure.and_then(|failure| self.stand_in(&asked, failure)) else {
                if let Some((StatusCode::OK, headers, _)) = &head {
                    self.compare(&asked, headers, began);
                }
                let status = CacheStatus::of(CacheOutcome::Miss, forwarded);
                held.answer(|head| mark(head, status));
                self.told(attempt, CacheOutcome::Miss, None);
                return held.hand_up().await;
            };
            held.discard();
            (stored, head.map(|(status, ..)| status))
            // What failed is dropped here, with all that it holds.
        };
        attempt.forget_answer();
        let failed = CacheStatus::of(CacheOutcome::StaleIfError, forwarded);
        self.give(attempt, stored, asked.form(), CacheStatus { status, ..failed }).await
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

const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
