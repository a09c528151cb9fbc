//! Tests of the cache.

mod conformance;
mod failures;
mod flights;
mod origin;
mod properties;
mod storing;
mod windows;
