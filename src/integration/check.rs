use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::handle::Integration;
use crate::control::{Credential, Expiry};
use crate::rt::{Clock, clamp_to_year_9999};
use crate::terms::TokenFailure;
use crate::token::TokenError;

/// What is wrong with an integration's credentials, in words. See [`Integration::check`].
#[derive(Clone, Debug)]
pub struct CheckError {
    integration: Arc<str>,
    findings: Vec<String>,
}

impl Integration {
    /// Checks the credentials, for a service that starts: fetches a token if there is none, compares
    /// the issuer's clock with this machine's, and reads when certificates end, as far as they are
    /// known. It sends nothing to the provider.
    ///
    /// Of an integration that has a token for each key, it knows no key and fetches none. It takes at most the token's [`fetch_timeout`](crate::token::TokenLayer::fetch_timeout).
    ///
    /// # Errors
    ///
    /// All that is wrong, each in words: the issuer refuses or gives no token, the clocks differ by more
    /// than a minute, the provider's certificate ends within a day or ours within two weeks.
    pub async fn check(&self) -> Result<(), CheckError> {
        let mut findings = Vec::new();
        if let Some(token) = self.token() {
            if let Err(error) = token.ready().await {
                findings.push(format!("token: {}: {error}", meaning(&error)));
            }
            let ahead = token.issuer_clock_ahead().unwrap_or_default();
            if ahead.unsigned_abs() > CLOCKS_DIFFER {
                let how = if ahead > 0 { "behind" } else { "ahead of" };
                let by = ahead.unsigned_abs();
                findings
                    .push(format!("clock: this machine's is {by} s {how} the issuer's: set it"));
            }
        }
        let now = Clock::system().wall();
        let expiries = self.health().expiries;
        findings.extend(expiries.iter().filter_map(|expiry| ending(expiry, now)));
        match findings.is_empty() {
            true => Ok(()),
            false => Err(CheckError { integration: self.name().into(), findings }),
        }
    }
}

impl CheckError {
    /// Each of the things that are wrong.
    pub fn findings(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().map(String::as_str)
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.integration, self.findings.join("; "))
    }
}

impl StdError for CheckError {}

fn meaning(error: &TokenError) -> &'static str {
    match error.failure() {
        TokenFailure::Transient => "the issuer gives none just now",
        TokenFailure::Settled => "the issuer refuses",
        TokenFailure::NeedsLogin => "somebody has to log in again",
    }
}

fn ending(expiry: &Expiry, now: SystemTime) -> Option<String> {
    let (what, soon) = match expiry.credential {
        Credential::ServerCertificate => ("the certificate of", DAY),
        Credential::ClientCertificate => ("our client certificate", DAY * 14),
        Credential::Token => return None,
    };
    let left = expiry.at.duration_since(now).unwrap_or_default();
    let verb = if left.is_zero() { "ended" } else { "ends" };
    let date = httpdate::fmt_http_date(clamp_to_year_9999(expiry.at));
    let host = expiry.host.as_deref().map(|host| format!(" {host}")).unwrap_or_default();
    (left < soon).then(|| format!("certificate: {what}{host} {verb} on {date}"))
}

/// As many seconds are no matter of a slow answer.
const CLOCKS_DIFFER: u64 = 60;
const DAY: Duration = Duration::from_secs(24 * 3600);
