//! The errors of reqwest.

use std::error::Error as StdError;

use super::Findings;
use crate::error::BoxError;
use crate::outcome::Fault;

pub(super) fn look_at(error: &(dyn StdError + 'static), findings: &mut Findings) {
    let Some(error) = error.downcast_ref::<reqwest::Error>() else {
        return;
    };
    findings.connecting |= error.is_connect();
    findings.timed_out |= error.is_timeout();
    findings.request |= error.is_builder();
    if error.is_body() || error.is_decode() {
        findings.fault = Some(Fault::Body);
    }
}

/// The next attempt would be redirected in the same way.
pub(super) fn is_final(error: &(dyn StdError + 'static)) -> bool {
    error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_redirect)
}

/// A reqwest error's text holds the whole URL, query included; it is taken out.
pub(super) fn without_secrets(error: BoxError) -> BoxError {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => Box::new(error.without_url()),
        Err(other) => other,
    }
}
