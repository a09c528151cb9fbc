use std::sync::Arc;

use tower_layer::Layer;

use super::placement::InHeader;
use super::profile::KeyProfile;
use super::service::Idempotency;
use crate::event::Emitter;
use crate::pattern::{Slot, Wiring};
use crate::replay::KEY_HEADER;
use crate::settings::{ConfigError, Errors, validate};

/// Gives unsafe calls a key. See the [module](super).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct IdempotencyLayer<P = InHeader> {
    pub(crate) settings: Settings,
    pub(crate) placement: P,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) profile: KeyProfile,
    /// Absent where nobody said: then it is the preset's, or the default.
    pub(crate) methods: Option<KeyedMethods>,
    /// Likewise.
    pub(crate) minting: Option<Minting>,
    pub(crate) emitter: Emitter,
}

/// Which methods get a key. The others are sent as they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedMethods {
    /// Those that are not idempotent by themselves: POST, PATCH and unknown ones.
    #[default]
    Unsafe,
    /// All that change something: also PUT and DELETE.
    Writing,
}

/// Whether the layer makes keys of its own. Whether those count is the
/// [profile's](KeyProfile::honours_keys) to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Minting {
    /// A call without a key gets one: a provider that ignores it takes no harm.
    #[default]
    Always,
    /// Only keys that the caller brings are used: for providers that honour keys on some endpoints
    /// and ignore them on others.
    CallersOnly,
}

impl IdempotencyLayer {
    /// Sends keys in the form, and under the header, of `profile`. Whether those that are made here
    /// count is the profile's to say.
    pub fn new(profile: KeyProfile) -> Self {
        let placement = InHeader(profile.header.clone());
        let (methods, minting) = (None, None);
        let settings = Settings { profile, methods, minting, emitter: Emitter::new() };
        Self { settings, placement }
    }
}

impl<P> IdempotencyLayer<P> {
    /// Puts the key elsewhere than into a header, a field of the body for example.
    ///
    /// `placement` is a [`PlaceKey`](super::PlaceKey): any function from a request and a key to the
    /// request that carries it. It is called once a call, and every attempt sends what it returned.
    ///
    /// The request's `content-length` follows the body that a function returns. Other headers that
    /// speak of the body don't: a `content-md5`, a `content-digest` or a signature that was made over
    /// the body as it was is wrong afterwards, and providers refuse it. Make those in the function, or
    /// in a layer further in.
    pub fn place_with<Q>(self, placement: Q) -> IdempotencyLayer<Q> {
        IdempotencyLayer { settings: self.settings, placement }
    }

    /// Which methods get a key; POST and PATCH by default. In an integration, without this, what
    /// its preset says.
    pub fn methods(mut self, methods: KeyedMethods) -> Self {
        self.settings.methods = Some(methods);
        self
    }

    /// Whether the layer makes keys of its own; it does by default. In an integration, without
    /// this, what its preset says.
    pub fn minting(mut self, minting: Minting) -> Self {
        self.settings.minting = Some(minting);
        self
    }

    /// Where events go, and the integration's name for a call that begins here.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.settings.emitter = emitter;
        self
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("idempotency", |errors| self.check_into(errors))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What nobody set is as in `other`.
    pub(crate) fn or<Q>(mut self, other: &IdempotencyLayer<Q>) -> Self {
        let settings = &mut self.settings;
        settings.methods = settings.methods.or(other.settings.methods);
        settings.minting = settings.minting.or(other.settings.minting);
        self
    }

    /// The same placement under other settings.
    pub(crate) fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    pub(crate) fn placement(&self) -> &P {
        &self.placement
    }
}

impl<P> Slot for IdempotencyLayer<P> {
    fn adopt(self, wiring: &Wiring) -> Self {
        self.emitter(wiring.emitter.clone())
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        let KeyProfile { longest, lifetime, .. } = self.settings.profile;
        let needed = self.settings.profile.shortest_limit();
        if longest < needed {
            errors.add(
                "profile.longest",
                format_args!("{longest} characters don't hold a uuid: allow at least {needed}"),
            );
        }
        errors.refuse_zero("profile.lifetime", Some(lifetime));
    }
}

impl Settings {
    pub(crate) fn methods(&self) -> KeyedMethods {
        self.methods.unwrap_or_default()
    }

    pub(crate) fn minting(&self) -> Minting {
        self.minting.unwrap_or_default()
    }
}

impl Default for IdempotencyLayer {
    fn default() -> Self {
        Self::new(KeyProfile::header(KEY_HEADER))
    }
}

impl<S, P: Clone> Layer<S> for IdempotencyLayer<P> {
    type Service = Idempotency<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Idempotency::new(inner, Arc::new(self.clone()))
    }
}
