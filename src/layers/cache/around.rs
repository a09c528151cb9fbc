use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};

use super::asked::{Asked, Glance, RequestHead, Way};
use super::given::{self, CacheStatus, Form, Forwarded};
use super::key::{CacheKey, CachePartition, normalised};
use super::origin::Origin;
use super::parts::{Alive, Settings};
use super::stored::StoredAnswer;
use crate::body::Body;
use crate::freshness::{Directives, Moments, Plan, Windows};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Unbegun, WholeAnswer, Wire};
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
    /// Give this answer, of this age, and perhaps fetch it anew.
    Give(Arc<StoredAnswer>, CacheOutcome, Form, Duration, Option<Arc<Asked>>),
    Ask(Arc<Asked>),
}

/// What is stored for a request, and what to do with it.
struct Found {
    /// The stored answer that it chooses.
    known: Option<Arc<StoredAnswer>>,
    /// There are answers for other requests to the same URI.
    has_variants: bool,
    plan: Plan,
    /// Of that answer.
    age: Duration,
    directives: Directives,
    windows: Windows,
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
            Some(Look::Give(stored, outcome, form, age, refreshed)) => {
                next.release();
                if let Some(asked) = refreshed {
                    self.refresh(&asked, attempt);
                }
                let status = CacheStatus::of(outcome, Forwarded::No);
                self.give_at(age, attempt, stored, form, status).await
            }
            Some(Look::Ask(asked)) if asked.is_head => {
                Box::pin(self.ask_head(call, attempt, next, asked)).await
            }
            Some(Look::Ask(asked)) => {
                // Fetches have an instance of their own, and it may need the place that this one holds.
                next.release();
                Box::pin(self.ask(call, attempt, next, asked)).await
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }

    /// Subscribers are told of a call with its context.
    fn may_answer_at_once(&self, _: bool) -> bool {
        !self.settings.emitter.is_listened_to()
    }

    fn answer_at_once(
        &self,
        call: &mut Unbegun<'_>,
        _: impl FnOnce(&mut Unbegun<'_>) -> Option<WholeAnswer>,
    ) -> Option<WholeAnswer> {
        let Settings { shared, .. } = &*self.settings;
        let glance = Glance::at(call.request);
        if glance.way != Way::Cached || !self.may_answer(call.request) {
            return None;
        }
        let text = shared.free_texts.take().unwrap_or_default();
        let key = CacheKey::in_text(text, call.request, &glance, &shared.partitions);
        let found = self.find(call.request, &glance, &key, shared.moments_at(call.now));
        let text = key.into_text();
        if text.capacity() <= KEPT_TEXT {
            shared.free_texts.give(text);
        }
        let Found { known: Some(stored), plan: Plan::Fresh, windows, age, .. } = found else {
            return None;
        };
        // Of what isn't a success, the caller may make an error with the call's facts.
        if !stored.status.is_success() {
            return None;
        }
        shared.count(CacheOutcome::Hit);
        let is_head = call.request.method() == Method::HEAD;
        let form = Form { is_head, is_known: false, windows };
        let status = CacheStatus::of(CacheOutcome::Hit, Forwarded::No);
        let extensions = std::mem::take(call.request.extensions_mut());
        Some(given::whole(&stored, form, age, status, extensions))
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

    /// What is stored under this key for this request.
    fn find(
        &self,
        request: &Request<Body>,
        glance: &Glance<'_>,
        key: &CacheKey,
        now: Moments,
    ) -> Found {
        let Settings { shared, config, .. } = &*self.settings;
        let entry = shared.entry(key);
        let known = entry.as_ref().and_then(|entry| entry.select(request.headers()));
        let directives = glance.directives(request.headers());
        let windows = config.windows_for(request.extensions());
        let (plan, age) = known.as_ref().map_or((Plan::Ask, Duration::ZERO), |known| {
            let age = known.validity.age(&now);
            (known.validity.plan(&directives, &windows, age), age)
        });
        Found { known, has_variants: entry.is_some(), plan, age, directives, windows }
    }

    fn look(&self, request: &Request<Body>) -> Look {
        let Settings { shared, .. } = &*self.settings;
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
        let key = CacheKey::in_text(String::new(), request, &glance, &shared.partitions);
        let found = self.find(request, &glance, &key, shared.moments());
        let Found { known, has_variants, plan, age, directives, windows } = found;
        let is_head = request.method() == Method::HEAD;
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
                has_variants,
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
        Look::Give(stored, outcome, form, age, refreshed)
    }
}

/// The largest text of a key whose memory is used again, in bytes.
const KEPT_TEXT: usize = 1 << 10;

impl fmt::Debug for CachePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePattern").field("settings", &self.settings).finish_non_exhaustive()
    }
}
