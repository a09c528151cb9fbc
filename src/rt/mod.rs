//! Everything that is not deterministic: time, randomness and tasks.
//!
//! No other module reads a clock or draws a random number. In tests, both clocks follow tokio's
//! paused time, and randomness can be seeded.

#[cfg(any(feature = "audit", feature = "serde"))]
pub(crate) mod append_file;
mod calendar;
pub(crate) mod callback;
mod clock;
pub(crate) mod files;
pub(crate) mod free_list;
#[cfg(feature = "fleet")]
mod host;
mod lock;
mod rng;
mod spawn;
pub(crate) mod sync;
mod timer;

pub(crate) use calendar::clamp_to_year_9999;
pub(crate) use clock::{after, ceil_to_millis, now};
pub(crate) use lock::Lock;
pub(crate) use spawn::{Blocking, Task, blocking, spawn, spawn_task};
#[cfg(feature = "fleet")]
pub(crate) use timer::first;
pub(crate) use timer::{Timer, sleep_until, until};

#[cfg(feature = "fleet")]
pub(crate) use host::host_name;
#[cfg(feature = "sqlite")]
pub(crate) use spawn::thread;

#[cfg(feature = "hyper")]
pub(crate) use rng::Draw;

pub use clock::Clock;
pub use rng::Rng;
