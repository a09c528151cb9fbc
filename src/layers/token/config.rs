use std::time::Duration;

use crate::settings::Errors;

/// How a token is fetched, and for how long it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenConfig {
    pub(super) fetch_timeout: Duration,
    /// How long before its end a token isn't sent any more, at most.
    pub(super) margin: Duration,
    /// How long before that it is renewed, at most.
    pub(super) renew_ahead: Duration,
    /// How long after its end it is still sent while the issuer is down; absent: not at all.
    pub(super) serve_expired: Option<Duration>,
}

impl TokenConfig {
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("fetch_timeout", Some(self.fetch_timeout));
        errors.refuse_zero("renew_ahead", Some(self.renew_ahead));
        errors.refuse_zero("serve_expired", self.serve_expired);
    }
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            fetch_timeout: FETCH_TIMEOUT,
            margin: MARGIN,
            renew_ahead: RENEW_AHEAD,
            serve_expired: None,
        }
    }
}

/// Longer than an issuer takes, shorter than a person waits.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// A request takes time, and two clocks differ.
const MARGIN: Duration = Duration::from_secs(30);
/// How long an issuer may be down while nobody notices.
const RENEW_AHEAD: Duration = Duration::from_secs(15 * 60);
