use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use super::answer::{Granted, Refused};
use super::client::Client;
use super::store::{StoredToken, TokenStore};
use crate::body::Body;
use crate::outcome::BoxError;
use crate::rt;
use crate::token::{Issuer, Token, TokenError, TokenRequest};

/// Tokens for a user who logged in once: RFC 6749, 6. See the [module](super).
///
/// Where the issuer gives another refresh token with each access token, the new one is stored before
/// the access token is used. If it refuses the present one, the store is read again: another process
/// may have refreshed meanwhile, and its token is tried once. If nobody has, a person must log in.
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
}

impl<S, T> RefreshToken<S, T> {
    /// The login in `store`, of a client without a secret, at the token endpoint `url`.
    ///
    /// `issuer` is an [`Integration`](crate::Integration) of the issuer's, or any other service.
    pub fn new(issuer: S, url: impl Into<String>, client_id: impl Into<String>, store: T) -> Self {
        Self { client: Client::new(issuer, url.into(), client_id.into()), store: Arc::new(store) }
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
    async fn issue(&self, _: TokenRequest) -> Result<Token, TokenError> {
        let lease = self.store.lease().await?;
        let stored = self.store.load().await?;
        let refused = match self.refresh(&stored).await {
            Ok(granted) => return self.keep(lease, stored.version, granted).await,
            Err(Refused::Other(error)) => return Err(error),
            Err(Refused::InvalidGrant(error)) => error,
        };
        let again = self.store.load().await?;
        if again == stored {
            return Err(TokenError::needs_login(refused.detail()));
        }
        match self.refresh(&again).await {
            Ok(granted) => self.keep(lease, again.version, granted).await,
            Err(Refused::Other(error)) => Err(error),
            Err(Refused::InvalidGrant(error)) => Err(TokenError::needs_login(error.detail())),
        }
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
    async fn refresh(&self, stored: &StoredToken) -> Result<Granted, Refused> {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", stored.secret.as_str())];
        self.client.ask(&grant).await
    }

    /// Stores the new refresh token, if there is one; without, the old one stays (RFC 6749, 6). It is
    /// stored under the lease even if the fetch is dropped: nobody else has it.
    async fn keep(
        &self,
        lease: T::Lease,
        version: u64,
        granted: Granted,
    ) -> Result<Token, TokenError> {
        let Granted { token, refresh_token: Some(next) } = granted else {
            return Ok(granted.token);
        };
        let (store, (tell, told)) = (Arc::clone(&self.store), oneshot::channel());
        rt::spawn(async move {
            let stored = store.compare_and_swap(version, next.as_str().to_owned()).await;
            drop(lease);
            // The fetch may have been dropped.
            let _ = tell.send(stored);
        });
        match told.await {
            Ok(Ok(true)) => Ok(token),
            Ok(Ok(false)) => {
                Err(TokenError::transient("another process stored a refresh token meanwhile"))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(TokenError::transient("the new refresh token was not stored")),
        }
    }
}
