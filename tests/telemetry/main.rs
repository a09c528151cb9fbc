//! Subscribers: what they tell of calls, and what they keep to themselves.

#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod agree;
mod audit;
mod call;
mod callbacks;
mod capture;
mod lines;
mod redact;
mod spans;
