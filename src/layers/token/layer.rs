use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Uri};

use super::around::TokenPattern;
use super::error::TokenError;
use super::handle::TokenHandle;
use super::issuer::Issuer;
use super::secret::Secret;
use super::shared::Cell;
use super::windows::Now;
use crate::event::Emitter;
use crate::outcome::ResponseHead;
use crate::pattern::{AsIs, Destinations, Layered, Slot, Wiring, pattern_layer};
use crate::rt::{self, Clock};
use crate::settings::{ConfigError, Errors, validate};

/// Gives each attempt a token. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, sends the same token. So does an
/// integration that was built with it; of several, all do if a handle was taken before, otherwise
/// each has one of its own.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct TokenLayer {
    /// Absent if there is no token.
    pub(super) cell: Option<Arc<Cell>>,
    pub(super) settings: Settings,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) header: HeaderName,
    scheme: Option<Arc<str>>,
    pub(super) fetch_timeout: Duration,
    /// The attempt's limit, of an integration: the wait ends with it, but as what it is.
    pub(super) longest_wait: Option<Duration>,
    pub(super) is_refusal: Option<Arc<IsRefusal>>,
    only_to: Destinations,
    pub(super) emitter: Emitter,
    clock: Clock,
}

type IsRefusal = dyn Fn(&ResponseHead<'_>) -> bool + Send + Sync;

/// A service whose requests carry a token, made by a [`TokenLayer`]. The service that it wraps must be
/// `Clone`.
pub type TokenService<S> = Layered<TokenPattern, S>;

impl TokenLayer {
    /// Sends this issuer's tokens as `authorization: Bearer …`.
    ///
    /// The issuer is an async function of a [`TokenRequest`](super::TokenRequest), or any other
    /// [`Issuer`]. A closure that reads its argument names its type: `|request: TokenRequest|`.
    pub fn new(issuer: impl Issuer) -> Self {
        Self { cell: Some(Cell::new(issuer)), settings: Settings::default() }
    }

    /// No token: requests are sent as they are.
    pub fn disabled() -> Self {
        Self { cell: None, settings: Settings::default() }
    }

    /// Sends the token in this header, as it is: for API keys. A `scheme` that is set later goes
    /// before it.
    pub fn header(mut self, header: HeaderName) -> Self {
        (self.settings.header, self.settings.scheme) = (header, None);
        self
    }

    /// The word before the token; `Bearer` by default.
    pub fn scheme(mut self, scheme: impl Into<Arc<str>>) -> Self {
        self.settings.scheme = Some(scheme.into());
        self
    }

    /// The longest time of one fetch; 5 s by default.
    pub fn fetch_timeout(mut self, limit: Duration) -> Self {
        self.settings.fetch_timeout = limit;
        self
    }

    /// What else than a 401 says that the token was refused: a provider that answers 200 and
    /// `x-error: token_expired`. A 403 is about rights, and another token has the same. If it panics,
    /// only a 401 counts.
    pub fn refused_when(
        mut self,
        is_refusal: impl Fn(&ResponseHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.settings.is_refusal = Some(Arc::new(is_refusal));
        self
    }

    /// Signs only requests to these URIs; others are sent as they are. An integration with a base URL
    /// signs only requests to its origin, whatever this says.
    pub fn only_to(mut self, allowed: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        self.settings.only_to = self.settings.only_to.only(allowed);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.settings.emitter = emitter;
        self
    }

    /// The clock whose wall time dates are compared with; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// A handle that reads the token's state and renews it; `None` if there is no token.
    #[must_use]
    pub fn handle(&self) -> Option<TokenHandle> {
        let cell = self.cell.as_ref()?;
        cell.ownership.share();
        Some(TokenHandle::new(Arc::clone(cell), self.settings.clone()))
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("token", |errors| self.check_into(errors))
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.cell.is_some()
    }

    pub(crate) fn waiting_at_most(mut self, limit: Option<Duration>) -> Self {
        self.settings.longest_wait = limit;
        self
    }
}

impl Settings {
    pub(super) fn now(&self) -> Now {
        Now { at: rt::now(), wall: self.clock.wall() }
    }

    pub(super) fn may_sign(&self, uri: &Uri) -> bool {
        self.only_to.allow(uri)
    }

    pub(super) fn header_value(&self, secret: &Secret) -> Result<HeaderValue, TokenError> {
        let value = match &self.scheme {
            Some(scheme) => Secret::new(format!("{scheme} {}", secret.as_str())),
            None => secret.clone(),
        };
        let unfit = |_| TokenError::settled("the token has characters that no header may have");
        let mut value = HeaderValue::from_str(value.as_str()).map_err(unfit)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Slot for TokenLayer {
    /// It keeps the token that it shares with its handles, unless another integration has it.
    fn adopt(mut self, wiring: &Wiring) -> Self {
        self.settings.emitter = wiring.emitter.clone();
        self.cell = self.cell.map(|cell| match cell.ownership.adopt() {
            true => cell,
            false => cell.renewed(),
        });
        self
    }

    /// No file sets anything here, but for the attempt's limit.
    fn inherit(self, running: &Self) -> Self {
        running.clone().waiting_at_most(self.settings.longest_wait)
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("fetch_timeout", Some(self.settings.fetch_timeout));
        if self
            .settings
            .scheme
            .as_ref()
            .is_some_and(|scheme| HeaderValue::from_str(scheme).is_err())
        {
            errors.add("scheme", "it has characters that no header may have: set a word");
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            header: AUTHORIZATION,
            scheme: Some("Bearer".into()),
            fetch_timeout: Duration::from_secs(5),
            longest_wait: None,
            is_refusal: None,
            only_to: Destinations::default(),
            emitter: Emitter::new(),
            clock: Clock::system(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("header", &self.header)
            .field("scheme", &self.scheme)
            .field("fetch_timeout", &self.fetch_timeout)
            .finish_non_exhaustive()
    }
}

pattern_layer!(TokenLayer => TokenPattern, AsIs, |layer| {
    if let Some(cell) = &layer.cell {
        cell.ownership.subscribe(&layer.settings.emitter);
    }
    TokenPattern::new(layer.clone())
});
