//! What an integration's calls share: by how much the clocks differ, and why the last signing failed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::error::SignError;
use crate::control::SigningHealth;
use crate::rt::Lock;

#[derive(Debug, Default)]
pub(super) struct Signing {
    /// How many seconds the provider's clock is ahead of ours.
    ahead: AtomicI64,
    failure: Mutex<Option<Arc<str>>>,
}

impl Signing {
    pub(super) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Takes over what an answer said, if that may be: whoever writes the answer's date must not get
    /// signatures for any time.
    pub(super) fn correct(&self, ahead: i64) -> bool {
        let is_believed = ahead.unsigned_abs() <= MOST_AHEAD;
        if is_believed {
            self.ahead.store(ahead, Ordering::Relaxed);
        }
        is_believed
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

/// A day: a clock that shows another zone's time as UTC is at most 14 hours wrong.
const MOST_AHEAD: u64 = 24 * 3600;
