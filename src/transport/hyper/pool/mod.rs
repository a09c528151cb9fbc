//! The pool of one client: connections by host, with limits in number and in time.
//!
//! | file | holds |
//! |---|---|
//! | `connection.rs` | one connection, HTTP/1.1 or HTTP/2, and the task that drives it |
//! | `host.rs` | the connections to one host, and who waits for one |
//! | `place.rs` | the right to make one, and a wait for one, as the figures count them |
//! | `lease.rs` | the right to use one, given back when the answer is over |
//! | `hosts.rs` | all hosts, the shared settings and the figures |
//!
//! hyper-util's own client races a new connection against an idle one that may come back, and lets
//! the loser finish in the background. Bounded connections, exact waits and figures that add up need
//! the opposite: nobody connects who wasn't given a place. Its connectors, its I/O and hyper's
//! connections are used as they are.

mod connection;
mod host;
mod hosts;
mod lease;
mod place;

pub(super) use connection::{Driver, Sender};
pub(super) use host::{Acquired, Grant, Host};
pub(super) use hosts::Hosts;
pub(super) use lease::Lease;
pub(super) use place::{Place, Waiting};

pub use lease::Hold;
