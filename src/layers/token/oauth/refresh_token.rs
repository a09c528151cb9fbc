use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use super::answer::{Granted, Refused};
use super::client::Client;
use super::store::{StoredToken, TokenStore};
use crate::body::Body;
use crate::outcome::BoxError;
use crate::rt::{self, Lock, callback};
use crate::token::issuer::Lifetime;
use crate::token::secret::Secret;
use crate::token::{Issuer, Token, TokenError, TokenReason, TokenRequest};

/// Tokens for a user who logged in once: RFC 6749, 6. See the [module](super).
///
/// Where the issuer gives another refresh token with each access token, the new one is stored before
/// the access token is used. If it refuses the present one, the store is read again: another process
/// may have refreshed meanwhile, and its token is tried once. If nobody has, a person must log in.
///
/// A request that was sent goes on when the layer gives the fetch up, for up to a minute: its answer
/// may bring the only valid refresh token. The next fetch within a minute gets the access token that came
/// with it. If the refresh token can't be stored, the fetch fails, and the next one stores it first.
///
/// ```no_run
/// use outrigger::Integration;
/// use outrigger::token::{TokenLayer, oauth::{FileStore, RefreshToken}};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let issuer = Integration::user_flow("login").build()?;
/// let store = FileStore::new("/var/lib/shop/refresh-token");
/// let user = RefreshToken::new(issuer, "https://login.example/token", "shop", store);
/// let layer = TokenLayer::new(user);
/// # let _ = layer;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a login does nothing until a layer asks it"]
pub struct RefreshToken<S, T> {
    client: Client<S>,
    store: Arc<T>,
    unsaved: Arc<Mutex<Option<Rotated>>>,
    late: Arc<Mutex<Option<Late>>>,
}

/// A refresh token that came for another one, which is used up.
#[derive(Debug)]
struct Rotated {
    used: StoredToken,
    next: Secret,
}

/// An access token that came after its fetch was given up.
#[derive(Debug)]
struct Late {
    token: Token,
    /// The login that it is of.
    of: StoredToken,
    asked: Instant,
    came: Instant,
}

impl<S, T> RefreshToken<S, T> {
    /// The login in `store`, of a client without a secret, at the token endpoint `url`.
    ///
    /// `issuer` is an [`Integration`](crate::Integration) of the issuer's, or any other service.
    pub fn new(issuer: S, url: impl Into<String>, client_id: impl Into<String>, store: T) -> Self {
        let client = Client::new(issuer, url.into(), client_id.into());
        Self { client, store: Arc::new(store), unsaved: Arc::default(), late: Arc::default() }
    }

    /// The client's secret, sent by Basic authentication.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client.secret(secret.into());
        self
    }

    /// Sends id and secret in the body, for issuers that don't take Basic authentication.
    pub fn secret_in_body(mut self) -> Self {
        self.client.secret_in_body();
        self
    }

    /// A further pair of the form.
    pub fn pair(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.client.pair(name.into(), value.into());
        self
    }
}

impl<S, R, T> Issuer for RefreshToken<S, T>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    T: TokenStore,
{
    async fn issue(&self, request: TokenRequest) -> Result<Token, TokenError> {
        let asked = rt::now();
        let (client, store) = (self.client.clone(), Arc::clone(&self.store));
        let (unsaved, late) = (Arc::clone(&self.unsaved), Arc::clone(&self.late));
        let login = Self { client, store, unsaved, late };
        let lease = self.store.lease().await?;
        let late = self.late.locked().take();
        if let Some(late) = late
            && self.store.load().await? == late.of
            && let Some(token) = late.for_fetch(request.reason, asked)
        {
            return Ok(token);
        }
        let (tell, told) = oneshot::channel();
        // The fetch may be dropped; the request and the write that follows it must not be.
        rt::spawn(async move {
            // Held until what came is stored, or kept for the next fetch.
            let _lease = lease;
            let Some(renewed) = callback::run("refresh token", login.renew()).await else { return };
            if let Err(Ok(token)) = tell.send(renewed)
                && let Ok(of) = login.store.load().await
            {
                *login.late.locked() = Some(Late { token, of, asked, came: rt::now() });
            }
        });
        let ended = "the refresh panicked, or ended with its runtime";
        told.await.unwrap_or_else(|_| Err(TokenError::transient(ended)))
    }

    fn has_unsaved(&self) -> bool {
        // A refresh that runs, or waits for its lease, has a clone.
        Arc::strong_count(&self.unsaved) > 1 || self.unsaved.locked().is_some()
    }
}

impl<S, R, T> RefreshToken<S, T>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    T: TokenStore,
{
    /// Refreshes, and stores what came.
    async fn renew(&self) -> Result<Token, TokenError> {
        let stored = self.present().await?;
        let refused = match self.refresh(&stored).await {
            Ok(granted) => return self.keep(stored, granted).await,
            Err(Refused::Other(error)) => return Err(error),
            Err(Refused::InvalidGrant(error)) => error,
        };
        let again = self.store.load().await?;
        if again == stored {
            return Err(TokenError::needs_login(refused.detail()));
        }
        match self.refresh(&again).await {
            Ok(granted) => self.keep(again, granted).await,
            Err(Refused::Other(error)) => Err(error),
            Err(Refused::InvalidGrant(error)) => Err(TokenError::needs_login(error.detail())),
        }
    }

    /// The refresh token to use. One that could not be stored when it came is stored first.
    async fn present(&self) -> Result<StoredToken, TokenError> {
        let stored = self.store.load().await?;
        let unsaved = self.unsaved.locked().take();
        let Some(rotated) = unsaved.filter(|rotated| rotated.used == stored) else {
            return Ok(stored);
        };
        self.save(rotated).await?;
        self.store.load().await
    }

    async fn refresh(&self, stored: &StoredToken) -> Result<Granted, Refused> {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", stored.secret.as_str())];
        let due = rt::after(rt::now(), LONGEST_REQUEST);
        rt::until(Some(due), self.client.ask(&grant)).await.unwrap_or_else(|| {
            let late = format!("no answer came within {LONGEST_REQUEST:?}");
            Err(Refused::Other(TokenError::transient(late)))
        })
    }

    /// Stores the new refresh token, if there is one; without, the old one stays (RFC 6749, 6).
    async fn keep(&self, used: StoredToken, granted: Granted) -> Result<Token, TokenError> {
        let Granted { token, refresh_token: Some(next) } = granted else {
            return Ok(granted.token);
        };
        match self.save(Rotated { used, next }).await? {
            true => Ok(token),
            false => Err(TokenError::transient("another process stored a refresh token meanwhile")),
        }
    }

    /// Stores a new refresh token. It is kept until that has succeeded: nobody else has it.
    async fn save(&self, rotated: Rotated) -> Result<bool, TokenError> {
        let (used, next) = (rotated.used.clone(), rotated.next.as_str().to_owned());
        *self.unsaved.locked() = Some(rotated);
        let saved = self.store.compare_and_swap(&used, next).await?;
        *self.unsaved.locked() = None;
        Ok(saved)
    }
}

impl Late {
    /// The token for a fetch that began at `asked`, if it is recent, and the fetch isn't to replace one that the
    /// provider refused.
    fn for_fetch(self, reason: TokenReason, asked: Instant) -> Option<Token> {
        let is_recent = rt::now().saturating_duration_since(self.came) < KEPT_FOR;
        let mut token = self.token;
        // It counts from its own request.
        if let Lifetime::For(lifetime) = &mut token.lifetime {
            *lifetime = lifetime.saturating_sub(asked.saturating_duration_since(self.asked));
        }
        (is_recent && reason != TokenReason::Refused).then_some(token)
    }
}

/// Longer than a fetch is put off after the one that was given up: 30 s.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// So that an issuer that never answers doesn't hold the lease for ever.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);
