use std::sync::{Arc, Mutex};

use super::bottom::Bottom;
use super::copies::Copies;
use super::handle::{Integration, Shared};
use super::merged::Merged;
use super::pins::{Pin, Pins};
use super::preset::Preset;
use super::reload::{Baseline, Reload};
use super::request::Endpoint;
use super::settings::Settings;
use super::slots::Slots;
use super::source::{Service, Source};
use super::stack::compose;
use crate::control::Registry;
use crate::event::{Emitter, Subscriber};
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::{Pattern, Wiring};
use crate::settings::{ConfigError, ValidationError};
use crate::transport::Transport;

/// Builds an [`Integration`]: a preset's values, adjusted slot by slot.
///
/// ```
/// use std::time::Duration;
/// use outrigger::{Integration, idempotency::{IdempotencyLayer, KeyProfile}};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let stripe = Integration::user_flow("stripe")
///     .deadline(Duration::from_secs(5))
///     .retry(|retry| retry.max_attempts(2))
///     .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
///     .without_breaker()
///     .build()?;
/// # let _ = stripe;
/// # Ok(()) }
/// ```
///
/// Each slot that can be empty has a `without_`. [`correlation`](Self::correlation) and the
/// [kill switch](Self::kill_switch) are always there: events, errors and controls need them, and
/// correlation keeps `baggage` from leaving.
///
/// Handles come from the integration. Those that were taken from a layer before anything was built
/// with it are handles of every integration that is; one that is taken later is a handle of the first
/// alone. Of what nobody had a handle of then, nothing is shared by two integrations.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct IntegrationBuilder<T> {
    name: Arc<str>,
    pub(super) preset: Preset,
    pub(super) slots: Slots,
    emitter: Emitter,
    classifier: SharedClassifier,
    registries: Vec<Registry>,
    pub(super) endpoint: Endpoint,
    pub(super) pins: Vec<Pin>,
    pub(super) settings: Settings,
    pub(super) transport: T,
}

impl<T> IntegrationBuilder<T> {
    pub(super) fn new(name: Arc<str>, preset: Preset, slots: Slots, transport: T) -> Self {
        let emitter = Emitter::named(Arc::clone(&name));
        let (classifier, registries) = (SharedClassifier::default(), Vec::new());
        let (endpoint, settings) = (Endpoint::default(), Settings::default());
        let pins = Vec::new();
        Self {
            name,
            preset,
            slots,
            emitter,
            classifier,
            registries,
            endpoint,
            pins,
            settings,
            transport,
        }
    }

    /// Sends through this service: any `tower::Service` from `http::Request<Body>` to an
    /// `http::Response`.
    ///
    /// Its errors don't prove that nothing was sent, because it may take more than one step. A client
    /// that is known to send one request a call is wrapped into a
    /// [`SingleHop`](crate::transport::SingleHop).
    pub fn service<S: Transport>(self, service: S) -> IntegrationBuilder<Service<S>> {
        self.with_transport(Service(service))
    }

    /// Puts a pattern of your own around every call: it sees what the caller sees, and the call has its
    /// id. The first that is given stands outermost. See [`pattern`](crate::pattern).
    pub fn around_call(mut self, pattern: impl Pattern) -> Self {
        self.slots.around_call.add(pattern);
        self
    }

    /// Puts a pattern of your own around every attempt, under the attempt's time limit. The first that
    /// is given stands outermost. See [`pattern`](crate::pattern).
    pub fn around_attempt(mut self, pattern: impl Pattern) -> Self {
        self.slots.around_attempt.add(pattern);
        self
    }

    /// The URL that relative URIs are joined to: `https://api.stripe.com/v1`. A path, with or without
    /// a slash before it, is put under the base's path; `..` is refused.
    ///
    /// With a base URL, a request to another origin (scheme, host, port) is refused unless
    /// [`allow_origin`](Self::allow_origin) names it: an integration talks to its provider, and sends
    /// its credentials to nobody else. (A client of yours that follows redirects by itself goes where it
    /// is sent: switch that off.) Encode an id that comes from outside before it is a part of a path.
    pub fn base_url(mut self, url: impl AsRef<str>) -> Self {
        self.endpoint.set_base(url.as_ref());
        self
    }

    /// Another origin that requests may go to, beside the base URL's: `https://files.stripe.com`. Default
    /// headers aren't sent there, but for the user agent: they may be credentials.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        self.endpoint.allow_origin(origin.as_ref());
        self
    }

    /// A header for each request that has none of that name. Mark a credential as
    /// [sensitive](http::HeaderValue::set_sensitive); records show none anyway.
    ///
    /// Without a [base URL](Self::base_url), each URI that is asked for gets it: with a credential, set one.
    #[doc(alias = "default_headers")]
    pub fn default_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<http::HeaderName>,
        V: TryInto<http::HeaderValue>,
    {
        self.endpoint.set_header("default_header", name, value);
        self
    }

    /// The `user-agent` of each request that has none. By default, the own client sends
    /// `outrigger/` and the version, because some providers refuse requests without one; other
    /// clients send what they send.
    pub fn user_agent<V: TryInto<http::HeaderValue>>(mut self, value: V) -> Self {
        self.endpoint.set_user_agent(value);
        self
    }

    pub(super) fn with_transport<U>(self, transport: U) -> IntegrationBuilder<U> {
        let Self {
            name,
            preset,
            slots,
            emitter,
            classifier,
            registries,
            endpoint,
            pins,
            settings,
            ..
        } = self;
        IntegrationBuilder {
            name,
            preset,
            slots,
            emitter,
            classifier,
            registries,
            endpoint,
            pins,
            settings,
            transport,
        }
    }

    /// What results mean, for every layer.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self
    }

    /// Is told of every event.
    pub fn subscriber(mut self, subscriber: impl Subscriber) -> Self {
        self.emitter = self.emitter.with(subscriber);
        self
    }

    /// Makes the integration known to a registry once it is built, and tells the registry's
    /// [subscribers](Registry::subscriber) of every event: those that it has by then.
    pub fn register(mut self, registry: &Registry) -> Self {
        self.registries.push(registry.clone());
        self
    }

    pub(super) fn set(mut self, set: impl FnOnce(&mut Slots)) -> Self {
        set(&mut self.slots);
        self
    }
}

impl<T: Source> IntegrationBuilder<T> {
    /// Checks all settings together and composes the stack.
    ///
    /// # Errors
    ///
    /// When settings can't work: every one of them is named, with what to do.
    pub fn build(mut self) -> Result<Integration, ConfigError> {
        self.check()?;
        self.bind_credentials();
        // A cloned builder makes another integration, not another handle on the same one. What is
        // refused is none: it has no layer.
        let of_registries = self.registries.iter().flat_map(Registry::subscribers);
        let emitter = of_registries.fold(self.emitter, Emitter::with_shared);
        let wiring = Wiring { emitter: emitter.clone(), classifier: self.classifier };
        #[cfg(feature = "outbox")]
        let classifier = wiring.classifier.clone();
        let slots = self.slots.adopt(&wiring);
        let mut base = Baseline { preset: self.preset, slots, limits: self.transport.limits() };
        let Merged { slots, limits } = self.settings.merge(&base, &mut Vec::new());
        let snapshot = base.slots.snapshot();
        let slots = slots.inherit(&base.slots);
        base.slots = snapshot;

        let transport = match limits {
            Some(limits) => self.transport.with_limits(limits),
            None => self.transport,
        };
        let origins = self.endpoint.clone();
        let transport = transport.bounded_by(move |uri| origins.allows(uri)).make(&emitter);
        let pool = T::pool(&transport);
        let mut endpoint = self.endpoint;
        if T::IS_OWN {
            endpoint.default_user_agent();
        }
        let captures = emitter.interest().body_cap().is_some();
        let pins = Arc::new(Pins::new(self.pins, &emitter));
        let watched = pins.are_told().then(|| Arc::clone(&pins));
        let compose = move |slots: &Slots| {
            compose(slots, &wiring, watched.clone(), Bottom::new(transport.clone(), captures))
        };
        let integration = Integration {
            shared: Arc::new(Shared {
                name: self.name,
                live: Reload::new(base, slots, compose),
                emitter,
                #[cfg(feature = "outbox")]
                classifier,
                pool,
                last_change: Mutex::default(),
                endpoint,
                pins,
                copies: Copies::default(),
            }),
        };
        self.registries.iter().for_each(|registry| integration.register(registry));
        Ok(integration)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (slots, limits) = (self.slots.clone(), self.transport.limits());
        let base = Baseline { preset: self.preset, slots, limits };
        let mut found: Vec<ValidationError> = self.endpoint.mistakes();
        found.extend(self.pin_mistakes());
        self.settings.merge(&base, &mut found);
        if let Err(error) = self.transport.check() {
            // The limits are named already, as they are with the settings laid over them.
            let is_news = |mistake: &&ValidationError| found.iter().all(|known| known != *mistake);
            let news: Vec<_> = error.errors().iter().filter(is_news).cloned().collect();
            found.extend(news);
        }
        ConfigError::check(Some(&self.name), found)
    }
}
