//! Seeded worlds in virtual time over whole integrations.

mod clock;
mod modes;
#[expect(dead_code, reason = "worlds use more of a provider than its own tests")]
mod provider;
