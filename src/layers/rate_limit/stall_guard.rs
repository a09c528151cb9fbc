use std::sync::Arc;
use std::time::{Duration, Instant};

use super::limiter::Limiter;
use super::queue::QueuedCall;
use crate::rt;

/// Skips calls that aren't polled when it is their turn, so that they don't block the queue.
///
/// A future may be kept without being polled: beside a branch of a `select!` that runs, or in a task
/// that waits for something else. No queued future may be polled at all, so a task of its own checks
/// the queue for as long as there is one. It wakes ("pings") the first call. If the call hasn't been
/// polled a while later, it is skipped: it leaves the queue, and returns to its place when it is
/// polled. Each time, twice as many calls are pinged, and all of them that aren't polled are skipped
/// together. So the calls between them wait once, and not once for each.
///
/// The capacity further in may grow by calls that don't know this queue. A pinged call notices that
/// too.
#[derive(Debug)]
pub(super) struct StallGuard {
    limiter: Arc<Limiter>,
    /// The first calls of the queue, in order, that were pinged the last time.
    pinged: Vec<Arc<QueuedCall>>,
    count: usize,
    is_over: bool,
}

impl StallGuard {
    /// Starts the task.
    pub(super) fn begin(limiter: &Arc<Limiter>) {
        let limiter = Arc::clone(limiter);
        let mut guard = Self { limiter, pinged: Vec::new(), count: 1, is_over: false };
        // Outside of a runtime there are no timers, and so no queue.
        rt::spawn(async move {
            while let Some(next) = guard.check() {
                rt::sleep_until(next).await;
            }
        });
    }

    /// Skips the calls that weren't polled and pings the next. Returns when to check again, if there
    /// is a queue.
    fn check(&mut self) -> Option<Instant> {
        let now = rt::now();
        let mut state = self.limiter.state();
        let free_at = state.first_may_go_at(now);
        let is_open = free_at.is_some_and(|at| at <= now);
        let mut missing = std::mem::take(&mut self.pinged);
        missing.retain(|queued| queued.is_pinged() && !queued.is_dropped());
        if !is_open || !missing.first().is_some_and(|first| state.is_first(first)) {
            missing.clear();
        }
        state.skip(&missing);
        if !missing.is_empty() {
            self.count = (self.count * 2).min(MAX_PINGS);
        }
        if is_open {
            self.pinged = state.ping(self.count);
        }
        self.is_over = !state.needs_guard();
        state.has_guard = !self.is_over;
        drop(state);
        // Skipped calls too: they were not woken while they were skipped.
        missing.iter().chain(&self.pinged).for_each(|queued| queued.wake());
        let soon = rt::after(now, STALL_AFTER);
        let next = match free_at {
            _ if is_open => soon,
            // A call that ends wakes the first in the queue and not this task. Calls of others wake
            // neither.
            None => rt::after(now, STALL_AFTER / 4),
            Some(at) => at.clamp(rt::after(now, STALL_AFTER / 4), soon),
        };
        (!self.is_over).then_some(next)
    }
}

impl Drop for StallGuard {
    fn drop(&mut self) {
        if !self.is_over {
            // Its runtime shuts down, but calls may be queued on other runtimes.
            self.limiter.state().has_guard = false;
        }
    }
}

/// The most calls that are pinged at once, so that waking them takes little time.
const MAX_PINGS: usize = 1_024;
/// How long a call may stay unpolled after its ping: longer than a busy runtime takes to poll what
/// it has woken, and short for the calls behind it.
const STALL_AFTER: Duration = Duration::from_secs(1);
