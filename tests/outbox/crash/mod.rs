//! Worker processes that are killed, or stopped and woken, while a provider on the loopback keeps the log that
//! judges.

mod kills;
mod place;
mod points;
mod process;
mod provider;
#[cfg(feature = "postgres")]
mod stopped;

use std::time::Duration;

use place::Place;
use process::{Process, Task};
use provider::{Provider, Reply, Seen};

/// How many messages of a process are under way at a time.
const CONCURRENCY: usize = 4;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
