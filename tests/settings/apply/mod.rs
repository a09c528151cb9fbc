//! Other settings while calls are under way.

mod changes;
mod handles;
mod limits;
mod stays;
mod together;
