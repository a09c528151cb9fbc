use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::layer::BulkheadLayer;
use super::limit::Priority;
use super::places::{Entry, Permit};
use super::queue::{Shed, Ticket};
use super::watch::Watch;
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
        let BulkheadLayer { places, priority, standing, .. } = &*self.settings;
        let _place = match places.enter(*priority, *standing) {
            Entry::Uncounted => None,
            Entry::Admitted(place) => Some(place),
            Entry::Queued(ticket) => {
                // Others may need what is kept ready sooner.
                next.release();
                Some(self.settings.wait(ticket, call, attempt).await?)
            }
            Entry::Full => return Err(self.settings.refuse(Refusal::Full, &attempt.context())),
        };
        let mut watch = Watch::begin(&self.settings, call, attempt);
        let mut running = pin!(next.run(call, attempt));
        if watch.is_none() {
            return running.await;
        }
        let held = attempt.head(running.as_mut()).await;
        if let Some(watch) = watch.take() {
            watch.came_to(&held);
        }
        held.hand_up().await
    }

    /// If not, the call will wait or be refused.
    fn may_send(&self) -> bool {
        self.settings.places.has_room(self.settings.priority)
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// There was no place, and none in the queue.
    Full,
    /// It had a place in the queue, and somebody of high priority took it.
    Shed,
    /// It waited for so long.
    Late(Duration),
}

impl BulkheadLayer {
    /// Waits in the queue for a place.
    async fn wait<W: Wire>(
        &self,
        mut ticket: Ticket,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Permit, Error> {
        let context = attempt.context();
        self.emitter.emit(Some(&context), || Event::BulkheadQueued);
        let came = call.now();
        let latest = context.latest_start(came, self.attempt);
        let patience = latest.map(|latest| latest.saturating_duration_since(came));
        let longest = self.queue_wait.get().into_iter().chain(patience).min();
        let due = longest.map(|wait| rt::after(came, wait));
        let turn = call.until(due, poll_fn(|cx| ticket.poll(cx.waker()))).await;
        let place = match turn {
            Some(Ok(place)) => place,
            Some(Err(Shed)) => return Err(self.refuse(Refusal::Shed, &context)),
            None => {
                let waited = longest.unwrap_or_default();
                return Err(self.refuse(Refusal::Late(waited), &context));
            }
        };
        if let Some(refusal) = attempt.refusal() {
            // Somebody stopped the integration meanwhile: the place is for others.
            return Err(refusal);
        }
        // Whether the provider is slow is judged from here.
        let now = call.now();
        attempt.state(|state| state.set_attempt_began(now));
        let waited = now.saturating_duration_since(came);
        self.emitter.emit(Some(&context), || Event::BulkheadAdmitted { waited });
        Ok(place)
    }

    fn refuse(&self, refusal: Refusal, context: &Context) -> Error {
        let why = match refusal {
            Refusal::Late(_) => Rejection::QueueTimeout,
            _ => Rejection::Full,
        };
        self.emitter.emit(Some(context), || Event::BulkheadRejected { why });
        let (limit, in_use) = (self.places.limit().unwrap_or_default(), self.places.in_use());
        let queue = self.places.queue_limit();
        let detail = match refusal {
            Refusal::Late(waited) => {
                format!(
                    "no place free within {:?}; {in_use} of {limit} in use",
                    rt::ceil_to_millis(waited)
                )
            }
            Refusal::Full => match self.places.reserved() {
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
