//! What signs requests, what checks signatures, and what becomes of clocks that differ.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod attempts;
mod bench;
mod canonical;
mod hmac;
mod properties;
mod refused;
mod secrets;
mod skew;
mod vectors;
mod verifier;
mod wire;
