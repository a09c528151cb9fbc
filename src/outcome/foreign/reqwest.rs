//! The errors of reqwest.

use std::error::Error as StdError;

use super::Findings;
use crate::outcome::BoxError;
use crate::terms::Fault;

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

/// There were too many redirects, or one led to an address that can't be called.
pub(super) fn is_redirect(error: &(dyn StdError + 'static)) -> bool {
    let error = error.downcast_ref::<reqwest::Error>();
    error.is_some_and(|error| error.is_redirect() || error.is_builder())
}

/// A reqwest error's text contains the whole URL, with its query, so it is removed.
pub(super) fn without_secrets(error: BoxError) -> BoxError {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => Box::new(error.without_url()),
        Err(other) => other,
    }
}
