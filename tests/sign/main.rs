//! What signs requests, what checks signatures, and what becomes of clocks that differ.

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
