use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::around::TokenPattern;
use super::cells::Cells;
use super::config::TokenConfig;
use super::error::TokenError;
use super::handle::{KeyedTokens, TokenHandle};
use super::issuer::Issuer;
use super::secret::Secret;
use super::windows::Now;
use crate::context::RequestHead;
use crate::event::Emitter;
use crate::outcome::ResponseHead;
use crate::pattern::{AsIs, Destinations, Layered, Slot, Wiring, pattern_layer};
use crate::rt::{self, Clock, Rng};
use crate::settings::{ConfigError, Errors, validate};

/// Gives each attempt a token. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, sends the same token, which is
/// fetched and renewed by the limits that were set last. So does an integration that was built with
/// it; of several, all do if a handle was taken before, otherwise each has one of its own.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct TokenLayer {
    /// Absent if there is no token.
    pub(super) cells: Option<Cells>,
    pub(super) settings: Settings,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) header: HeaderName,
    scheme: Option<Arc<str>>,
    pub(super) config: TokenConfig,
    /// The attempt's limit, of an integration: the wait ends with it, but as what it is.
    pub(super) longest_wait: Option<Duration>,
    pub(super) is_refusal: Option<Arc<IsRefusal>>,
    /// Reads a refusal from what a head or trailers say.
    pub(super) is_refused_status: Option<fn(&HeaderMap) -> bool>,
    only_to: Destinations,
    pub(super) emitter: Emitter,
    clock: Clock,
    pub(super) rng: Rng,
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
        Self { cells: Some(Cells::one(issuer)), settings: Settings::default() }
    }

    /// A token for each key, such as a tenant, each of an issuer of its own, which `issuer_of` makes
    /// when a key is first seen. Each is fetched, renewed, refused and invalidated for itself.
    ///
    /// At most `most` are kept; when there are more, those that were idle for longer than `idle` are
    /// forgotten, else the one that was used longest ago. Requests whose `key` panics have the key `""`.
    ///
    /// A `RefreshToken` (feature `oauth`) that is being refreshed, or has a new refresh token that could not
    /// be stored yet, isn't forgotten: nobody else has it. If that is so of all `most`, a call of a further
    /// key is refused with [`Rejection::NoToken`](crate::outcome::Rejection::NoToken), to be retried after a
    /// second, and has one of them stored. This is so for an issuer that *is* a `RefreshToken`; one of your own
    /// around it is forgotten like any other.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use std::time::Duration;
    /// use outrigger::token::{Token, TokenLayer};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(String); // an extension of each request
    ///
    /// let layer = TokenLayer::keyed(
    ///     1_000,
    ///     Duration::from_secs(3_600),
    ///     |head| head.extensions.get::<Tenant>().map_or("".into(), |tenant| Cow::from(&tenant.0)),
    ///     |tenant: &str| {
    ///         let token = format!("the token of {tenant}"); // or a `RefreshToken` of its login
    ///         move |_| std::future::ready(Ok(Token::new(token.clone())))
    ///     },
    /// );
    /// assert_eq!(layer.keyed_handle().map(|tokens| tokens.keys().len()), Some(0));
    /// ```
    pub fn keyed<K, F, I>(most: usize, idle: Duration, key: K, issuer_of: F) -> Self
    where
        K: for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync + 'static,
        F: Fn(&str) -> I + Send + Sync + 'static,
        I: Issuer,
    {
        let cells = Cells::keyed(most, idle, key, issuer_of);
        Self { cells: Some(cells), settings: Settings::default() }
    }

    /// No token: requests are sent as they are.
    pub fn disabled() -> Self {
        Self { cells: None, settings: Settings::default() }
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
    pub fn fetch_timeout(self, limit: Duration) -> Self {
        self.set(|config| config.fetch_timeout = limit)
    }

    /// How long before its end a token isn't sent any more: a tenth of its lifetime, at most this; 30 s
    /// by default. A request takes time, and two clocks differ.
    pub fn margin(self, longest: Duration) -> Self {
        self.set(|config| config.margin = longest)
    }

    /// How long before that it is renewed: a fifth of its lifetime, at most this; 15 min by default. It
    /// is how long the issuer may be down and nobody notices.
    pub fn renew_ahead(self, longest: Duration) -> Self {
        self.set(|config| config.renew_ahead = longest)
    }

    /// Sends a token for so long after its end while the issuer is down, for APIs that accept it; by
    /// default it isn't sent any more from [`margin`](Self::margin) before its end, which this is
    /// counted from.
    ///
    /// It isn't for an issuer that refuses ([settled](super::TokenFailure::Settled) errors), and ends
    /// with the first 401.
    pub fn serve_expired(self, limit: Duration) -> Self {
        self.set(|config| config.serve_expired = Some(limit))
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

    /// What draws the times of fetches; a seeded one makes tests repeatable.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.settings.rng = rng;
        self
    }

    /// A handle that reads the token's state and renews it; `None` if there is no token. With keys,
    /// see [`Self::keyed_handle`].
    #[must_use]
    pub fn handle(&self) -> Option<TokenHandle> {
        let Some(Cells::One(cell)) = &self.cells else { return None };
        cell.ownership.share();
        Some(TokenHandle::new(Arc::clone(cell), self.settings.clone()))
    }

    /// A handle that reads the tokens of the keys, where there are keys.
    #[must_use]
    pub fn keyed_handle(&self) -> Option<KeyedTokens> {
        let Some(Cells::Keyed(cells)) = &self.cells else { return None };
        self.cells.as_ref()?.ownership().share();
        Some(KeyedTokens::new(Arc::clone(cells), self.settings.clone()))
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("token", |errors| self.check_into(errors))
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.cells.is_some()
    }

    /// Whether there is a token for each key.
    pub(crate) fn has_keys(&self) -> bool {
        matches!(self.cells, Some(Cells::Keyed(_)))
    }

    /// What else than a 401 says in a head, or in trailers, that the token was refused.
    pub(crate) fn refused_by_status(mut self, is_refused: fn(&HeaderMap) -> bool) -> Self {
        self.settings.is_refused_status = Some(is_refused);
        self
    }

    /// As [`refused_by_status`](Self::refused_by_status) was set for another layer.
    pub(crate) fn refused_as(mut self, other: &Self) -> Self {
        self.settings.is_refused_status = other.settings.is_refused_status;
        self
    }

    pub(crate) fn waiting_at_most(mut self, limit: Option<Duration>) -> Self {
        self.settings.longest_wait = limit;
        self
    }

    fn set(mut self, set: impl FnOnce(&mut TokenConfig)) -> Self {
        set(&mut self.settings.config);
        if let Some(cells) = &self.cells {
            cells.reconfigure(self.settings.config);
        }
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
        self.cells = self.cells.map(|cells| match cells.ownership().adopt() {
            true => cells,
            false => cells.renewed(self.settings.config),
        });
        self
    }

    fn inherit(self, running: &Self) -> Self {
        let config = self.settings.config;
        running.clone().waiting_at_most(self.settings.longest_wait).set(|own| *own = config)
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.settings.config.check_into(errors);
        if matches!(&self.cells, Some(Cells::Keyed(cells)) if cells.most() == 0) {
            errors.add("keyed", "with `most` 0 no key's token is kept: raise it");
        }
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
            config: TokenConfig::default(),
            longest_wait: None,
            is_refusal: None,
            is_refused_status: None,
            only_to: Destinations::default(),
            emitter: Emitter::new(),
            clock: Clock::system(),
            rng: Rng::system(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("header", &self.header)
            .field("scheme", &self.scheme)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

pattern_layer!(TokenLayer => TokenPattern, AsIs, |layer| {
    if let Some(cells) = &layer.cells {
        cells.ownership().subscribe(&layer.settings.emitter);
    }
    TokenPattern::new(layer.clone())
});
