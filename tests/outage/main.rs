//! Nobody is worse off with a preset than without it, on any bad day, in any figure.
//!
//! Whole days in virtual time, over a provider in memory. `cargo bench --bench outage` prints all the
//! figures; what is asserted here are its bars, for fixed seeds.

#[expect(dead_code, reason = "the scenarios need less of a provider than worlds do")]
#[path = "../simulation/provider.rs"]
mod provider;

#[expect(dead_code, reason = "the bars need less than the tables")]
#[path = "../simulation/plans.rs"]
mod plans;

mod figures;
mod jobs;
mod persons;
