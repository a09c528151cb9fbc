use std::time::Duration;

use super::subscriber::Metrics;
use crate::control::Registry;
use crate::rt::{self, Task};

/// Observes a registry at an interval, until this is dropped.
#[derive(Debug)]
#[must_use = "nothing is observed any more once this is dropped: keep it, or `detach` it"]
pub struct Observing(Task);

impl Observing {
    pub(super) fn begin(metrics: Metrics, registry: Registry, interval: Duration) -> Self {
        let interval = interval.max(SHORTEST);
        Self(rt::spawn_task(async move {
            loop {
                metrics.observe(&registry);
                rt::sleep_until(rt::after(rt::now(), interval)).await;
            }
        }))
    }

    /// Observes until the runtime ends.
    pub fn detach(self) {
        self.0.detach();
    }
}

/// No exporter sends more often, and a task must not spin.
const SHORTEST: Duration = Duration::from_millis(100);
