//! What an integration's calls share: by how much the clocks differ, and why the last signing failed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::error::SignError;
use super::state::{Heard, Offset, Skew};
use crate::control::SigningHealth;
use crate::rt::Lock;

#[derive(Debug, Default)]
pub(super) struct Signing {
    offset: Mutex<Offset>,
    failure: Mutex<Option<Arc<str>>>,
}

impl Signing {
    pub(super) fn ahead(&self) -> i64 {
        self.offset.locked().ahead()
    }

    /// Takes what an answer says to a request that was signed for a clock so many seconds ahead.
    pub(super) fn hear(&self, signed: i64, heard: Heard) -> Option<Skew> {
        self.offset.locked().hear(signed, heard)
    }

    pub(super) fn ended<T>(&self, outcome: &Result<T, SignError>) {
        let failure = outcome.as_ref().err().map(SignError::detail);
        let mut last = self.failure.locked();
        if *last != failure {
            *last = failure;
        }
    }

    pub(super) fn health(&self) -> SigningHealth {
        let error = self.failure.locked().as_deref().map(ToOwned::to_owned);
        SigningHealth { clock_ahead: self.ahead(), error }
    }
}

/// How many seconds `date` is ahead of `now`; less than zero if it is behind.
pub(super) fn seconds_ahead(date: SystemTime, now: SystemTime) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match date.duration_since(now) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// `now`, so many seconds later.
pub(super) fn moved(now: SystemTime, ahead: i64) -> SystemTime {
    let by = Duration::from_secs(ahead.unsigned_abs());
    match ahead < 0 {
        true => now.checked_sub(by),
        false => now.checked_add(by),
    }
    .unwrap_or(now)
}
