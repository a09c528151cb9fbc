//! The bottom of the stack: the client, adapted once.
//!
//! A [`Transport`] is any cloneable service from `http::Request<Body>` to an `http::Response`:
//! the own hyper client, a `reqwest::Client`, or whatever a team already has.
//!
//! # What proves that nothing was sent
//!
//! [`Delivery::NotSent`](crate::Delivery::NotSent) is a proof, and so is what lets a POST without a
//! key be sent again. The own client notes on the call each request that it hands to a connection,
//! and its error counts where no other request of the call went out. The errors of a service that
//! isn't this crate's prove nothing: it may take more than one step for a call, and fail on the last.
//! Their kinds are read, for the circuit breaker and the text, and the delivery is
//! [`Unknown`](crate::Delivery::Unknown). Whoever knows that a client sends one request a call wraps
//! it into a [`SingleHop`]. A service that could not become ready was given nothing.

pub(crate) mod hop;
#[cfg(feature = "hyper")]
pub mod hyper;
pub mod pool;
#[cfg(feature = "reqwest")]
pub mod reqwest;
pub mod rotating;
mod service;
mod single_hop;

pub use service::Transport;
pub use single_hop::{SingleHop, SingleHopFuture};
