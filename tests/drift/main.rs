//! What answers show of a change of the provider's API, and who is told of it.

mod bench;
mod headers;
mod secrets;
mod shapes;
mod told;
