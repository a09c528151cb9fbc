use std::fmt;
use std::sync::Arc;

use http::{Method, Request};

use super::asked::{Asked, Glance, RequestHead, Way};
use super::given::{CacheStatus, Form, Forwarded};
use super::key::{CacheKey, CachePartition, normalised};
use super::origin::Origin;
use super::parts::{Alive, Settings};
use super::stored::StoredAnswer;
use crate::body::Body;
use crate::freshness::{Moments, Plan};
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
    /// Go past it; of an unsafe request, with its normalised URI.
    Past(Way, Option<String>),
    /// Give this answer now, and perhaps fetch it anew.
    Give(Arc<StoredAnswer>, CacheOutcome, Form, Moments, Option<Arc<Asked>>),
    Ask(Arc<Asked>),
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
            Some(Look::Past(way, uri)) => Box::pin(self.pass(call, attempt, next, way, uri)).await,
            Some(Look::Give(stored, outcome, form, now, refreshed)) => {
                if let Some(asked) = refreshed {
                    self.refresh(&asked, attempt);
                }
                let status = CacheStatus::of(outcome, Forwarded::No);
                self.give_at(&now, attempt, stored, form, status).await
            }
            Some(Look::Ask(asked)) if asked.is_head => {
                Box::pin(self.ask_head(call, attempt, next, asked)).await
            }
            Some(Look::Ask(asked)) => Box::pin(self.ask(call, attempt, next, asked)).await,
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

    /// Whether a partition can be told for this request, and no person wants the fallback's answer.
    fn may_answer(&self, request: &Request<Body>) -> bool {
        let settings = &self.settings;
        let knows_whose =
            !settings.needs_partition || request.extensions().get::<CachePartition>().is_some();
        knows_whose && !settings.is_switched_to_fallback()
    }

    fn look(&self, request: &Request<Body>) -> Look {
        let Settings { shared, config, .. } = &*self.settings;
        let glance = Glance::at(request);
        let way = match glance.way {
            Way::Cached | Way::Compared if !self.may_answer(request) => Way::Past,
            way => way,
        };
        match way {
            Way::Past => return Look::Past(way, None),
            Way::Unsafe => {
                return Look::Past(way, Some(normalised(request.uri(), glance.host)));
            }
            Way::Cached | Way::Compared => {}
        }
        let key = CacheKey::of(request, &glance, &shared.partitions);
        let entry = shared.entry(&key);
        let known = entry.as_ref().and_then(|entry| entry.select(request.headers()));
        let directives = glance.directives(request.headers());
        let windows = config.windows_for(request.extensions());
        let is_head = request.method() == Method::HEAD;
        let now = shared.moments();
        let plan = |known: &Arc<StoredAnswer>| known.validity.plan(&directives, &windows, &now);
        let plan = known.as_ref().map_or(Plan::Ask, plan);
        // Only the provider can compare what isn't fresh with the caller's own answer.
        if way == Way::Compared && plan != Plan::Fresh {
            return Look::Past(Way::Past, None);
        }
        let asked = |known| {
            Arc::new(Asked {
                key,
                is_head,
                directives,
                windows,
                request: RequestHead::of(request),
                known,
                has_variants: entry.is_some(),
            })
        };
        let outcome = match plan {
            Plan::Fresh => CacheOutcome::Hit,
            Plan::Refresh => CacheOutcome::StaleWhileRevalidate,
            Plan::Accepted => CacheOutcome::StaleAccepted,
            Plan::Ask => return Look::Ask(asked(known)),
        };
        let Some(stored) = known else { return Look::Ask(asked(None)) };
        let is_known = way == Way::Compared && stored.is_known_to(request.headers());
        let form = Form { is_head, is_known, windows };
        let refreshed = (plan == Plan::Refresh).then(|| asked(Some(Arc::clone(&stored))));
        Look::Give(stored, outcome, form, now, refreshed)
    }
}

impl fmt::Debug for CachePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePattern").field("settings", &self.settings).finish_non_exhaustive()
    }
}
