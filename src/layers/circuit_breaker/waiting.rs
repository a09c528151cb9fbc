//! A held call's wait, and the task that releases held calls when they are due.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use super::breaker::Breaker;
use super::held_queue::HeldCall;
use super::state::Admission;
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Wire};
use crate::rt;

/// Keeps a call in the queue of held calls; removes it when dropped.
struct HeldGuard<'a, W: Wire> {
    breaker: &'a Breaker,
    held: Arc<HeldCall>,
    attempt: &'a Attempt<W>,
}

/// The task that releases held calls when only time has passed.
struct ReleaseTask {
    breaker: Arc<Breaker>,
    is_over: bool,
}

impl Breaker {
    /// Waits until the call is admitted, or returns the error if it must not be sent any more.
    pub(super) async fn hold<W: Wire>(
        self: &Arc<Self>,
        held: Arc<HeldCall>,
        needs_task: bool,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Admission, Error> {
        let guard = HeldGuard { breaker: self, held, attempt };
        let (context, came) = (attempt.context(), call.now());
        self.emitter.emit(Some(&context), || Event::BreakerHeld);
        if needs_task && !self.start_release_task() {
            // Without a runtime, nothing would wake it.
            return Err(self.refuse(&self.shared.reject_held(came), &context));
        }
        let granted = poll_fn(|cx| {
            if let Some(refusal) = attempt.refusal() {
                // The integration was stopped meanwhile.
                return Poll::Ready(Err(refusal));
            }
            if let Poll::Ready(admission) = guard.held.poll(cx.waker()) {
                return Poll::Ready(Ok(admission));
            }
            if self.shared.needs_task(call.now()) && !self.start_release_task() {
                self.shared.task_ended();
            }
            Poll::Pending
        });
        let granted = call.until(call.deadline(), granted).await;
        let now = call.now();
        let Some(granted) = granted else {
            // The deadline passed: the error says that the circuit is open.
            return Err(self.refuse(&self.shared.reject_held(now), &context));
        };
        let admission = granted?;
        if self.shared.is_outdated(&admission) {
            // The breaker was forced open before the call could go.
            return Err(self.refuse(&self.shared.reject_queued(now), &context));
        }
        attempt.state(|state| state.set_attempt_began(now));
        let waited = now.saturating_duration_since(came);
        self.emitter.emit(Some(&context), || Event::BreakerReleased { waited });
        Ok(admission)
    }

    /// Spawns the task that releases held calls; false without a runtime.
    fn start_release_task(self: &Arc<Self>) -> bool {
        let mut task = ReleaseTask { breaker: Arc::clone(self), is_over: false };
        rt::spawn(async move {
            while let Some(next) = task.release_due() {
                rt::sleep_until(next).await;
            }
        })
    }
}

impl<W: Wire> Drop for HeldGuard<'_, W> {
    fn drop(&mut self) {
        self.breaker.leave(&self.held, self.attempt);
    }
}

impl ReleaseTask {
    fn release_due(&mut self) -> Option<Instant> {
        let next = self.breaker.release_due();
        self.is_over = next.is_none();
        next
    }
}

impl Drop for ReleaseTask {
    fn drop(&mut self) {
        if !self.is_over {
            // Its runtime shuts down. Calls that are held on other runtimes spawn another task.
            self.breaker.shared.task_ended();
        }
    }
}
