//! Stands in for a client that isn't compiled in: none of its errors can come.

use std::error::Error as StdError;

use super::Findings;
use crate::outcome::BoxError;

pub(super) fn look_at(_: &(dyn StdError + 'static), _: &mut Findings) {}

#[expect(
    clippy::allow_attributes,
    reason = "one stand-in for several clients, each with its own part"
)]
#[allow(dead_code, reason = "only one of the clients that this stands in for has it")]
pub(super) fn is_final(_: &(dyn StdError + 'static)) -> bool {
    false
}

#[expect(
    clippy::allow_attributes,
    reason = "one stand-in for several clients, each with its own part"
)]
#[allow(dead_code, reason = "only one of the clients that this stands in for has it")]
pub(super) fn is_redirect(_: &(dyn StdError + 'static)) -> bool {
    false
}

#[expect(
    clippy::allow_attributes,
    reason = "one stand-in for several clients, each with its own part"
)]
#[allow(dead_code, reason = "only one of the clients that this stands in for has it")]
pub(super) fn without_secrets(error: BoxError) -> BoxError {
    error
}
