//! Tests of the cache.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod conformance;
mod flights;
mod origin;
mod outdating;
mod partitions;
mod properties;
mod quiet;
mod storing;
mod windows;
