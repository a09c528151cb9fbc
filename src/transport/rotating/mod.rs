//! Replaces a client whose pool can't be reached: at its age, or when connecting keeps failing.
//!
//! A pool without a time to live keeps talking to a server that DNS left an hour ago, and some
//! clients offer none. A [`Rotating`] client is made by a function. It is made anew when it is old,
//! and after so many connection failures in a row; calls that are under way stay with the client
//! that they began with, which is dropped when the last of them is over.
//!
//! # When not to use it
//!
//! Around the own hyper client, whose connections have a time to live each.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `time_to_live` | 5 min, give or take a fifth | DNS moves; clients that were made together don't go together |
//! | `max_connect_failures` | 5 in a row | a provider that is down isn't worth a new client at every call |
//!
//! # Events
//!
//! [`ClientReplaced`](crate::event::Event::ClientReplaced).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::{Integration, transport::rotating::Rotating};
//! # use outrigger::testing::{Answer, Script};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let make_client = || Ok::<_, std::io::Error>(Script::new([Answer::status(200)]));
//! let client = Rotating::new(make_client)?.time_to_live(Duration::from_secs(60));
//! let crm = Integration::user_flow("crm").service(client).build()?;
//! # let _ = crm;
//! # Ok(()) }
//! ```

mod future;
mod generation;
mod service;

pub use future::ResponseFuture;
pub use service::Rotating;
