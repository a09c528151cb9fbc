//! Subscribers: what they tell of calls, and what they keep to themselves.

mod call;
mod capture;
mod redact;
mod spans;
