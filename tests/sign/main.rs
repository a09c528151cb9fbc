//! What signs requests, what checks signatures, and what becomes of clocks that differ.
#![expect(clippy::disallowed_methods, reason = "a provider of the test runs beside it")]

mod attempts;
mod bench;
mod canonical;
mod fuzzed;
mod hmac;
mod properties;
mod refused;
mod secrets;
mod skew;
mod vectors;
mod verifier;
mod wire;
