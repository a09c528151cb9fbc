//! Other settings while calls are under way.

mod breaker;
mod changes;
mod handles;
mod limits;
mod stays;
mod together;
