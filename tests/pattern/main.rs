//! The driver of patterns: what a call's code holds is let go of, whenever and however the call ends.

#![expect(clippy::disallowed_methods, reason = "the tests' own clock and tasks")]

mod provider;
mod random;
mod shape;
