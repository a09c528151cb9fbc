use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::answer::Refused;
use super::client::Client;
use crate::body::Body;
use crate::outcome::BoxError;
use crate::token::{Issuer, Token, TokenError, TokenRequest};

/// Tokens for the service itself: RFC 6749, 4.4. See the [module](super).
#[derive(Clone, Debug)]
#[must_use = "credentials do nothing until a layer asks them"]
pub struct ClientCredentials<S> {
    client: Client<S>,
}

impl<S> ClientCredentials<S> {
    /// A client with a secret, which is sent by Basic authentication, at the token endpoint `url`.
    ///
    /// `issuer` is an [`Integration`](crate::Integration) of the issuer's, or any other service.
    pub fn new(
        issuer: S,
        url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        let mut client = Client::new(issuer, url.into(), client_id.into());
        client.secret(client_secret.into());
        Self { client }
    }

    /// Sends id and secret in the body, for issuers that don't take Basic authentication.
    pub fn secret_in_body(mut self) -> Self {
        self.client.secret_in_body();
        self
    }

    /// Proves who it is by a JWT that this function makes and signs, instead of the secret: RFC 7523,
    /// 2.2. It is called for each fetch.
    pub fn assertion(mut self, sign: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.client.assertion(sign);
        self
    }

    /// One of the scopes to ask for.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.client.scope(scope.into());
        self
    }

    /// For whom the token is to be, as Auth0 and others have it.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.pair("audience", audience)
    }

    /// The URI of the API that the token is for: RFC 8707. It may be given several times.
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.pair("resource", resource)
    }

    /// A further pair of the form.
    pub fn pair(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.client.pair(name.into(), value.into());
        self
    }
}

impl<S, R> Issuer for ClientCredentials<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    async fn issue(&self, _: TokenRequest) -> Result<Token, TokenError> {
        match self.client.ask(&[("grant_type", "client_credentials")]).await {
            Ok(granted) => Ok(granted.token),
            Err(Refused::InvalidGrant(error) | Refused::Other(error)) => Err(error),
        }
    }
}
