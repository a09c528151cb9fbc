//! The pool of one client: connections by host, with limits in number and in time.
//!
//! | file | holds |
//! |---|---|
//! | `connection.rs` | one connection, HTTP/1.1 or HTTP/2, as its users hold it |
//! | `record.rs` | what is known of it by its users and by the task that drives it |
//! | `driver.rs` | that task, with the place that it gives back |
//! | `frames.rs` | what an HTTP/2 peer says of its streams |
//! | `signals.rs` | what is told to the task |
//! | `upload.rs` | request bodies on their way over HTTP/2 |
//! | `host.rs`, `state.rs` | the connections to one host |
//! | `queue.rs` | who gets one, or a stream of one, and who waits |
//! | `place.rs` | the right to make one, and a wait for one, as the figures count them |
//! | `lease.rs` | the right to use one, given back when the answer is over |
//! | `hosts.rs` | all hosts, the shared settings and the figures |
//!
//! hyper-util's own client races a new connection against an idle one that may come back, and lets
//! the loser finish in the background. Bounded connections, exact waits and figures that add up need
//! the opposite: nobody connects who wasn't given a place. Its connectors, its I/O and hyper's
//! connections are used as they are.

mod connection;
mod driver;
mod frames;
mod host;
mod hosts;
mod lease;
mod place;
mod queue;
mod record;
mod signals;
mod state;
mod upload;

pub(super) use connection::{Driver, Sender};
pub(super) use frames::Frames;
pub(super) use host::Host;
pub(super) use hosts::Hosts;
pub(super) use lease::Lease;
pub(super) use place::{Place, Waiting};
pub(super) use queue::{Acquired, Grant};
pub(super) use signals::Signals;
pub(super) use upload::Executor;

pub use lease::Hold;
