//! Tests of the cache.

mod conformance;
mod flights;
mod origin;
mod properties;
mod storing;
mod windows;
