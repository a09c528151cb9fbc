use std::time::SystemTime;

use crate::control::{KeyedTokensHealth, TokenHealth};
use crate::token::{TokenError, TokenHandle, TokenLayer};

/// What health says of an integration's token, or of its tokens.
pub(super) struct TokensHealth {
    /// The one that is worst off.
    pub(super) worst: Option<TokenHealth>,
    pub(super) keyed: Option<KeyedTokensHealth>,
    /// When the first ends.
    pub(super) ends: Option<SystemTime>,
}

impl TokensHealth {
    pub(super) fn of(layer: &TokenLayer) -> Self {
        let Some(tokens) = layer.keyed_handle() else {
            let token = layer.handle();
            let ends = token.as_ref().and_then(TokenHandle::ends);
            return Self { worst: token.as_ref().map(health_of), keyed: None, ends };
        };
        let tokens: Vec<_> = tokens.keys().iter().filter_map(|key| tokens.get(key)).collect();
        let healths: Vec<_> = tokens.iter().map(health_of).collect();
        let failing = healths.iter().filter(|token| token.is_in_trouble()).count();
        // One that has ended is mostly of a key that nobody uses any more.
        let sent = tokens.iter().filter(|token| token.state().is_sent());
        let ends = sent.filter_map(TokenHandle::ends).min();
        let keyed = Some(KeyedTokensHealth { keys: healths.len(), failing });
        Self { worst: healths.into_iter().max_by_key(trouble), keyed, ends }
    }
}

/// How badly off a token is, to compare it with others.
fn trouble(token: &TokenHealth) -> (bool, bool, bool) {
    (token.is_in_trouble(), token.failure.is_some(), !token.state.is_sent())
}

fn health_of(token: &TokenHandle) -> TokenHealth {
    let error = token.error();
    TokenHealth {
        state: token.state(),
        generation: token.generation(),
        failure: error.as_ref().map(TokenError::failure),
        error: error.map(|error| error.to_string()),
    }
}
