//! Checks of answers: what they say of an answer, and what all layers make of it.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod answers;
mod bench;
mod bodies;
mod decoding;
mod graphql;
mod graphql_audits;
mod held_back;
mod hostile;
#[cfg(feature = "json-schema")]
mod openapi;
mod published;
mod refusals;
mod same_bytes;
#[cfg(feature = "json-schema")]
mod schema;
mod statuses;
mod told;
mod verdicts;
