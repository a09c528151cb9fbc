//! Stands in for a client that isn't compiled in: none of its errors can come.

#![allow(dead_code, reason = "only one of the clients has it")]

use std::error::Error as StdError;

use super::Findings;
use crate::outcome::BoxError;

pub(super) fn look_at(_: &(dyn StdError + 'static), _: &mut Findings) {}

pub(super) fn is_final(_: &(dyn StdError + 'static)) -> bool {
    false
}

pub(super) fn is_redirect(_: &(dyn StdError + 'static)) -> bool {
    false
}

pub(super) fn without_secrets(error: BoxError) -> BoxError {
    error
}
