//! What a builder does about tokens and signatures.

use super::builder::IntegrationBuilder;
use crate::sign::SignLayer;
use crate::token::TokenLayer;

impl<T> IntegrationBuilder<T> {
    /// Gives each attempt a token, which is renewed before it ends. Only requests to the origin of the
    /// [base URL](Self::base_url) carry it, if there is one, and no redirect that the own client follows to
    /// another origin does. A reqwest client takes only `authorization` off there: where the token has a header
    /// of its own, switch the client's redirects off.
    ///
    /// A call whose token is refused is repeated once with another one, also if
    /// [`without_retry`](Self::without_retry) allows one attempt.
    pub fn token(self, layer: TokenLayer) -> Self {
        self.set(|slots| slots.token = layer.refused_as(&slots.token))
    }

    /// Requests are sent with the credentials that they have, as both presets have it.
    pub fn without_token(self) -> Self {
        self.token(TokenLayer::disabled())
    }

    /// Signs each attempt, after all that changes it. Only requests to the origin of the
    /// [base URL](Self::base_url) are signed, if there is one.
    ///
    /// A call that is refused because the clocks differ is repeated once with the provider's time, also if
    /// [`without_retry`](Self::without_retry) allows one attempt.
    pub fn sign(self, layer: SignLayer) -> Self {
        self.set(|slots| slots.sign = layer)
    }

    /// Requests are sent unsigned, as both presets have it.
    pub fn without_sign(self) -> Self {
        self.sign(SignLayer::disabled())
    }

    /// Only the provider gets what proves who asks.
    pub(super) fn bind_credentials(&mut self) {
        let slots = &mut self.slots;
        let provider = || {
            let endpoint = self.endpoint.clone();
            move |uri: &http::Uri| endpoint.is_own(uri)
        };
        if slots.token.is_enabled() {
            slots.token = slots.token.clone().only_to(provider());
        }
        if slots.sign.is_enabled() {
            slots.sign = slots.sign.clone().only_to(provider());
        }
    }
}
