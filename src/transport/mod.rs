//! The bottom of the stack: the client, adapted once.
//!
//! A [`Transport`] is any cloneable service from `http::Request<Body>` to an `http::Response`:
//! the own hyper client, a `reqwest::Client`, or whatever a team already has.

mod adapt;
#[cfg(feature = "hyper")]
pub mod hyper;
pub mod pool;
#[cfg(feature = "reqwest")]
pub mod reqwest;
pub mod rotating;

pub use adapt::Transport;

pub(crate) use adapt::Adapt;
