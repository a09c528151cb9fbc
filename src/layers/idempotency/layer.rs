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
    /// Absent if it was not set: then it is the preset's, or the default.
    pub(crate) methods: Option<KeyedMethods>,
    /// Likewise.
    pub(crate) key_source: Option<KeySource>,
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

/// Where keys come from. Whether generated keys count depends on the
/// [profile](KeyProfile::honours_keys).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// A call without a key gets a generated one: it does no harm if the provider ignores it.
    #[default]
    CallerOrGenerated,
    /// Only keys that the caller brings are used: for providers that honour keys on some endpoints
    /// and ignore them on others.
    Caller,
}

#[doc(hidden)]
#[expect(non_upper_case_globals, reason = "the variants' former names")]
impl KeySource {
    pub const Always: Self = Self::CallerOrGenerated;
    pub const CallersOnly: Self = Self::Caller;
}

impl IdempotencyLayer {
    /// Sends keys in the form and the header of `profile`, which also determines whether generated keys
    /// count.
    pub fn new(profile: KeyProfile) -> Self {
        let placement = InHeader(profile.header.clone());
        let (methods, key_source) = (None, None);
        let settings = Settings { profile, methods, key_source, emitter: Emitter::new() };
        Self { settings, placement }
    }
}

impl<P> IdempotencyLayer<P> {
    /// Writes the key elsewhere than into a header, for example into a field of the body.
    ///
    /// `placement` is a [`WriteKey`](super::WriteKey): any function from a request and a key to the
    /// request that carries it. It is called once a call, and every attempt sends what it returned.
    ///
    /// The request's `content-length` follows the body that a function returns. Other headers that
    /// describe the body don't: a `content-md5`, a `content-digest` or a signature over the original
    /// body is wrong afterwards, and providers refuse it. Make those in the function, or in a layer
    /// further in.
    pub fn write_with<Q>(self, placement: Q) -> IdempotencyLayer<Q> {
        IdempotencyLayer { settings: self.settings, placement }
    }

    /// The former name of [`write_with`](Self::write_with).
    #[doc(hidden)]
    pub fn place_with<Q>(self, placement: Q) -> IdempotencyLayer<Q> {
        self.write_with(placement)
    }

    /// The former name of [`key_source`](Self::key_source).
    #[doc(hidden)]
    pub fn minting(self, source: KeySource) -> Self {
        self.key_source(source)
    }

    /// Which methods get a key; POST and PATCH by default. In an integration, the default is the
    /// preset's.
    pub fn methods(mut self, methods: KeyedMethods) -> Self {
        self.settings.methods = Some(methods);
        self
    }

    /// Whether the layer makes keys of its own; it does by default. In an integration, without
    /// this, what its preset says.
    pub fn key_source(mut self, key_source: KeySource) -> Self {
        self.settings.key_source = Some(key_source);
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

    /// Takes what was not set from `other`.
    pub(crate) fn or<Q>(mut self, other: &IdempotencyLayer<Q>) -> Self {
        let settings = &mut self.settings;
        settings.methods = settings.methods.or(other.settings.methods);
        settings.key_source = settings.key_source.or(other.settings.key_source);
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
        let KeyProfile { max_len, lifetime, .. } = self.settings.profile;
        let needed = self.settings.profile.min_len();
        if max_len < needed {
            errors.add(
                "profile.max_len",
                format_args!("{max_len} characters don't hold a uuid: allow at least {needed}"),
            );
        }
        errors.refuse_zero("profile.lifetime", Some(lifetime));
    }
}

impl Settings {
    pub(crate) fn methods(&self) -> KeyedMethods {
        self.methods.unwrap_or_default()
    }

    pub(crate) fn key_source(&self) -> KeySource {
        self.key_source.unwrap_or_default()
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
