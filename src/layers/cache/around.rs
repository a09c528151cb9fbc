use std::fmt;
use std::sync::Arc;

use http::{Method, Request};

use super::asked::{Asked, RequestHead, Way};
use super::given::{CacheStatus, Forwarded};
use super::key::CacheKey;
use super::origin::Origin;
use super::parts::{Alive, Settings};
use super::stored::StoredAnswer;
use crate::body::Body;
use crate::freshness::{Directives, Plan};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::terms::CacheOutcome;

/// Answers from what is stored, as code around a call: what a [`CacheLayer`](super::CacheLayer) makes of
/// its settings. See the [module](super).
#[derive(Clone)]
pub struct CachePattern {
    pub(super) settings: Arc<Settings>,
    /// What stands further in, for fetches in tasks of their own.
    pub(super) origin: Arc<dyn Origin>,
    /// Held here and not by fetches, so that refreshes end with the cache.
    pub(super) alive: Alive,
}

/// What to do with a request.
enum Look {
    Past(Way, Option<CacheKey>),
    /// Give this answer, and perhaps fetch it anew.
    Give(CacheOutcome, Asked),
    Ask(Asked),
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
                match asked.known.clone() {
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

    fn look(&self, request: &Request<Body>) -> Look {
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
            is_head: request.method() == Method::HEAD,
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
}

impl fmt::Debug for CachePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePattern").field("settings", &self.settings).finish_non_exhaustive()
    }
}
