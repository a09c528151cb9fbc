use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};

use http::{Method, Request, Response};
use tower_service::Service;

use super::builder::IntegrationBuilder;
use super::call::Call;
use super::client::OwnClient;
use super::controls::LastChange;
use super::copies::Copies;
use super::pins::Pins;
use super::preset::Preset;
use super::reload::Reload;
use super::request::Endpoint;
use crate::body::Body;
use crate::bulkhead::BulkheadHandle;
use crate::cache::CacheHandle;
use crate::circuit_breaker::{BreakerHandle, KeyedBreakers};
use crate::context::Context;
use crate::control::{Controllable, Health, Registry};
use crate::drift::DriftHandle;
use crate::event::Emitter;
use crate::fault_injection::FaultInjectionHandle;
use crate::hedge::HedgeHandle;
use crate::kill_switch::KillSwitchHandle;
use crate::mirror::MirrorHandle;
use crate::outcome::Error;
use crate::rate_limit::{KeyedRateLimits, RateLimitHandle};
use crate::retry::RetryBudget;
use crate::token::{KeyedTokens, TokenHandle};
use crate::transport::pool::PoolHandle;
use crate::validate::ValidateHandle;

/// One third-party API. See the [module](super).
#[derive(Clone)]
pub struct Integration {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) live: Reload,
    pub(super) emitter: Emitter,
    #[cfg(feature = "outbox")]
    pub(super) classifier: crate::outcome::SharedClassifier,
    pub(super) pool: Option<PoolHandle>,
    pub(super) last_change: Mutex<Option<LastChange>>,
    pub(super) endpoint: Endpoint,
    pub(super) pins: Arc<Pins>,
    pub(super) copies: Copies,
}

impl Integration {
    /// For calls that a person waits for: seconds in total, at most one retry, a breaker.
    ///
    /// A 429 stops all of its calls for as long as the provider asks, and what it shows of the rate is kept to
    /// after that. Where limits are each customer's own, give the [rate limit](crate::rate_limit) a key; to hear of none,
    /// `.rate_limit(|limit| limit.learn(Learning::Off))`.
    pub fn user_flow(name: impl Into<Arc<str>>) -> IntegrationBuilder<OwnClient> {
        Self::preset(name.into(), Preset::UserFlow)
    }

    /// For calls that no person waits for: long time limits, many retries, no breaker that refuses.
    ///
    /// Each POST is given an idempotency key. It is retried only if that key
    /// [counts](crate::idempotency): name the profile of a provider that honours keys, or give your
    /// own keys. Otherwise, a POST on which the provider may have acted is not sent again: the job
    /// ends with the failed answer, or with [`Delivery::Unknown`](crate::Delivery::Unknown), and
    /// you have to ask the provider.
    pub fn background(name: impl Into<Arc<str>>) -> IntegrationBuilder<OwnClient> {
        Self::preset(name.into(), Preset::Background)
    }

    fn preset(name: Arc<str>, preset: Preset) -> IntegrationBuilder<OwnClient> {
        let slots = preset.slots();
        let client = OwnClient::new(slots.connect);
        IntegrationBuilder::new(name, preset, slots, client)
    }

    /// Calls the API.
    ///
    /// The request's URI is absolute, or relative to the
    /// [base URL](IntegrationBuilder::base_url). A response of any status is an answer, not an error.
    ///
    /// # Errors
    ///
    /// If there is no answer. [`Error::kind`] says why, [`Error::delivery`] whether the provider
    /// may have acted. Of a request that can't be sent as it is, a
    /// [`Report`](crate::context::Report) knows, but no event tells: no call has begun.
    #[doc(alias = "execute")]
    pub fn send<B: Into<Body>>(&self, request: Request<B>) -> Call {
        let mut request = request.map(Into::into);
        let Shared { endpoint, pins, .. } = &*self.shared;
        let prepared = endpoint.prepare(&mut request).and_then(|is_to_base| match is_to_base {
            true => pins.write(&mut request),
            false => {
                pins.leave_out(&mut request);
                Ok(())
            }
        });
        match prepared {
            Ok(()) => Call::running(self.shared.live.stack().send(request)),
            Err(error) => self.refuse(error, request.method().clone()),
        }
    }

    /// What a registry knows, if it is an integration.
    #[cfg(feature = "fleet")]
    pub(crate) fn of(known: Arc<dyn Controllable>) -> Option<Self> {
        Some(Self { shared: known.into_any().downcast().ok()? })
    }

    pub(crate) fn emitter(&self) -> &Emitter {
        &self.shared.emitter
    }

    /// A call whose request can't be sent.
    pub(super) fn refuse(&self, error: Error, method: Method) -> Call {
        let context = Context::fresh(None, Some(&self.shared.name));
        Call::unsent(error, method, context)
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its cache, if it has one.
    #[must_use]
    pub fn cache(&self) -> Option<CacheHandle> {
        self.shared.live.slots().cache.reader()
    }

    /// Its kill switch.
    #[must_use]
    pub fn kill_switch(&self) -> KillSwitchHandle {
        self.shared.live.slots().kill_switch.handle()
    }

    /// Its circuit breaker. It is always closed if there is none, or one for each key.
    #[must_use]
    pub fn breaker(&self) -> BreakerHandle {
        self.shared.live.slots().circuit_breaker.handle()
    }

    /// Its circuit breakers, if it has [one for each key][keyed].
    ///
    /// [keyed]: crate::circuit_breaker::CircuitBreakerLayer::keyed
    #[must_use]
    pub fn keyed_breakers(&self) -> Option<KeyedBreakers> {
        self.shared.live.slots().circuit_breaker.keyed_handle()
    }

    /// Its rate limits, if it has [one for each key][keyed].
    ///
    /// [keyed]: crate::rate_limit::RateLimitLayer::keyed
    #[must_use]
    pub fn keyed_rate_limits(&self) -> Option<KeyedRateLimits> {
        self.shared.live.slots().rate_limit.keyed_handle()
    }

    /// Its rate limit: of all keys together, if it has one for each key.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimitHandle {
        self.shared.live.slots().rate_limit.handle()
    }

    /// Its bulkhead.
    #[must_use]
    pub fn bulkhead(&self) -> BulkheadHandle {
        self.shared.live.slots().bulkhead.handle()
    }

    /// Its hedges (second requests).
    #[must_use]
    pub fn hedge(&self) -> HedgeHandle {
        self.shared.live.slots().hedge.handle()
    }

    /// Its token, if it has one, and not one for each key.
    #[must_use]
    pub fn token(&self) -> Option<TokenHandle> {
        self.shared.live.slots().token.handle()
    }

    /// Its tokens, if it has [one for each key](crate::token::TokenLayer::keyed).
    #[must_use]
    pub fn keyed_tokens(&self) -> Option<KeyedTokens> {
        self.shared.live.slots().token.keyed_handle()
    }

    /// What its checks of answers rejected; `None` if it has none.
    #[must_use]
    pub fn validation(&self) -> Option<ValidateHandle> {
        let slots = self.shared.live.slots();
        slots.validate.has_checks().then(|| slots.validate.reader())
    }

    /// What it has noticed of a change of the provider's API.
    #[must_use]
    pub fn drift(&self) -> DriftHandle {
        self.shared.live.slots().drift.reader()
    }

    /// Its mirror. Without a target, setting a share has no effect.
    #[must_use]
    pub fn mirror(&self) -> MirrorHandle {
        self.shared.live.slots().mirror.handle()
    }

    /// Its fault injection.
    #[must_use]
    pub fn fault_injection(&self) -> FaultInjectionHandle {
        self.shared.live.slots().fault_injection.handle()
    }

    /// The former name of [`fault_injection`](Self::fault_injection).
    #[doc(hidden)]
    #[must_use]
    pub fn rehearsal(&self) -> FaultInjectionHandle {
        self.fault_injection()
    }

    /// Its pool of connections; `None` if the client isn't the integration's own.
    #[must_use]
    pub fn pool(&self) -> Option<&PoolHandle> {
        self.shared.pool.as_ref()
    }

    /// Its retry budget.
    #[must_use]
    pub fn retry_budget(&self) -> RetryBudget {
        self.shared.live.slots().retry.shared_budget()
    }

    /// Its health.
    #[must_use]
    pub fn health(&self) -> Health {
        Controllable::health(&*self.shared)
    }

    /// Adds it to a registry, for as long as it exists, so that people see and control it. The registry's
    /// [subscribers](Registry::subscriber) are told only of integrations that are
    /// [built with it](IntegrationBuilder::register).
    pub fn register(&self, registry: &Registry) {
        let shared: Arc<dyn Controllable> = Arc::clone(&self.shared) as Arc<dyn Controllable>;
        registry.add(Arc::downgrade(&shared));
    }
}

impl<B: Into<Body>> Service<Request<B>> for Integration {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // Waiting in queues is part of the call, under its deadline.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Call {
        self.send(request)
    }
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration")
            .field("name", &self.name())
            .field("breaker", &self.breaker().state())
            .finish_non_exhaustive()
    }
}
