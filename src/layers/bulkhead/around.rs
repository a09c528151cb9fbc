use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::layer::BulkheadLayer;
use super::limit::Priority;
use super::permits::{AcquireOutcome, Permit};
use super::queue::{Acquire, Shed};
use super::sample_guard::SampleGuard;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt;
use crate::terms::Rejection;

/// Bounds concurrency, as code around a call: what a [`BulkheadLayer`](super::BulkheadLayer) makes
/// of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct BulkheadPattern {
    settings: Arc<BulkheadLayer>,
}

impl BulkheadPattern {
    pub(super) fn new(settings: &BulkheadLayer) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }
}

impl Pattern for BulkheadPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let BulkheadLayer { permits, priority, queue_slot, .. } = &*self.settings;
        // A cache's background refresh lets people go first.
        let priority = if call.facts().is_in_background() { Priority::Low } else { *priority };
        let _permit = match permits.acquire(priority, *queue_slot) {
            AcquireOutcome::Uncounted => None,
            AcquireOutcome::Admitted(permit) => Some(permit),
            AcquireOutcome::Queued(acquire) => {
                // A queued call needs no ready service; another call may.
                next.release();
                Some(self.settings.wait(acquire, call, attempt).await?)
            }
            AcquireOutcome::Full => {
                return Err(self.settings.refuse(Refusal::Full, &attempt.context()));
            }
        };
        let mut guard = SampleGuard::begin(&self.settings, call, attempt);
        let mut running = pin!(next.run(call, attempt));
        if guard.is_none() {
            return running.await;
        }
        let held = attempt.head(running.as_mut()).await;
        if let Some(guard) = guard.take() {
            guard.on_head(&held);
        }
        held.hand_up().await
    }

    /// Otherwise the call waits or is refused.
    fn may_send(&self) -> bool {
        self.settings.permits.has_free_permit(self.settings.priority)
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// There was neither a permit nor a place in the queue.
    Full,
    /// A call of high priority took its place in the queue.
    Shed,
    /// It waited for too long.
    Late(Duration),
}

impl BulkheadLayer {
    /// Waits in the queue for a permit.
    async fn wait<W: Wire>(
        &self,
        mut acquire: Acquire,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Permit, Error> {
        let context = attempt.context();
        self.emitter.emit(Some(&context), || Event::BulkheadQueued);
        let came = call.now();
        let latest = context.latest_start(came, self.attempt);
        let max_wait = latest.map(|latest| latest.saturating_duration_since(came));
        let max_wait = self.queue_wait.get().into_iter().chain(max_wait).min();
        let due = max_wait.map(|wait| rt::after(came, wait));
        let granted = call.until(due, poll_fn(|cx| acquire.poll(cx.waker()))).await;
        let permit = match granted {
            Some(Ok(permit)) => permit,
            Some(Err(Shed)) => return Err(self.refuse(Refusal::Shed, &context)),
            None => {
                let waited = max_wait.unwrap_or_default();
                return Err(self.refuse(Refusal::Late(waited), &context));
            }
        };
        if let Some(refusal) = attempt.refusal() {
            // The integration was stopped meanwhile.
            return Err(refusal);
        }
        // The attempt's latency is measured from here.
        let now = call.now();
        attempt.state(|state| state.set_attempt_began(now));
        let waited = now.saturating_duration_since(came);
        self.emitter.emit(Some(&context), || Event::BulkheadAdmitted { waited });
        Ok(permit)
    }

    fn refuse(&self, refusal: Refusal, context: &Context) -> Error {
        let why = match refusal {
            Refusal::Late(_) => Rejection::QueueTimeout,
            _ => Rejection::Full,
        };
        self.emitter.emit(Some(context), || Event::BulkheadRejected { why });
        let (limit, in_use) = (self.permits.limit().unwrap_or_default(), self.permits.in_use());
        let queue = self.permits.queue_limit();
        let detail = match refusal {
            Refusal::Late(waited) => {
                format!(
                    "no place free within {:?}; {in_use} of {limit} in use",
                    rt::ceil_to_millis(waited)
                )
            }
            Refusal::Full => match self.permits.reserved() {
                reserved if reserved > 0 && self.priority == Priority::Low => format!(
                    "{in_use} of {limit} in use, {reserved} kept for high priority, {queue} may wait"
                ),
                _ => format!("{in_use} of {limit} in use, {queue} may wait"),
            },
            Refusal::Shed => format!(
                "a call of high priority took its place in the queue; {in_use} of {limit} in use, {queue} may wait"
            ),
        };
        Error::rejected(why, detail).with_context(context).with_elapsed(context.elapsed())
    }
}
