//! Tests of the cache.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod at_once;
mod background;
mod classes;
mod conformance;
mod flights;
mod groups;
mod origin;
mod outdating;
mod partitions;
mod properties;
mod quiet;
mod settings;
mod sharing;
mod storing;
mod windows;
