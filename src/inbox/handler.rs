//! Handling what was recorded.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::event::{ReceivedEvent, lane};
use super::inbox::Inbox;
use crate::outbox::{
    ClaimRequest, DeadHead, LeaseRef, MemoryStore, OutboxError, OutboxErrorKind, Outcome, Report,
    Settlement, State, StoredMessage, Timestamp,
};
use crate::outcome::BoxError;
use crate::rt::{self, Rng};

impl MemoryStore {
    /// Handles a source's events by this function: see [the inbox](crate::inbox#handling). It must not use
    /// this store.
    #[must_use]
    pub fn on_event<F>(self, source: &str, handle: F) -> Self
    where
        F: Fn(&ReceivedEvent) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        self.on_delivered(lane(source), move |message, _| handle(&ReceivedEvent::of(message)))
    }
}

/// One who handles events.
struct Worker {
    /// Not the name of another process, nor of this one's earlier life.
    owner: String,
    /// When leases that are over are looked for again.
    reap_at: Instant,
}

/// What a round of work came to.
struct Round {
    /// How many events were tried.
    tried: usize,
    /// How long there is nothing to do, as far as is known.
    idle: Duration,
}

impl Inbox {
    /// Handles events as they are recorded, until `stop` is ready; the one that is being handled then is
    /// finished. While the store doesn't answer, it goes on trying.
    ///
    /// Any number of processes may run it: an event is handled in one of them.
    ///
    /// # Errors
    ///
    /// The store has no function for this source: nothing was handled.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<(), OutboxError> {
        self.needs_handler()?;
        let (mut stop, mut worker) = (pin!(stop), Worker::new());
        loop {
            let idle = match self.round(&mut worker).await {
                Ok(Round { tried: 1.., .. }) => Duration::ZERO,
                Ok(Round { idle, .. }) => idle.min(POLL),
                Err(_) => {
                    self.tell("the store of an inbox does not answer", "store");
                    POLL
                }
            };
            if self.stops(stop.as_mut(), idle).await {
                return Ok(());
            }
        }
    }

    /// Handles what is due now, and returns how many events were tried.
    ///
    /// # Errors
    ///
    /// The store's, or it has no function for this source.
    pub async fn handle_due(&self) -> Result<usize, OutboxError> {
        self.needs_handler()?;
        let (mut worker, mut tried) = (Worker::new(), 0);
        loop {
            match self.round(&mut worker).await?.tried {
                0 => return Ok(tried),
                more => tried += more,
            }
        }
    }

    async fn round(&self, worker: &mut Worker) -> Result<Round, OutboxError> {
        let store = &self.0.store;
        if worker.reap_at <= rt::now() {
            while store.reap(BATCH).await?.has_more {}
            worker.reap_at = rt::after(rt::now(), REAP);
        }
        let request = ClaimRequest {
            lane: self.0.lane.clone(),
            owner: worker.owner.clone(),
            most: BATCH,
            lease: LEASE,
            key_lifetime: None,
            // No provider promises an order, so a dead event holds nothing up.
            dead_head: DeadHead::SteppedOver,
        };
        let claimed = store.claim(request).await?;
        for message in &claimed.messages {
            self.handle(message, &worker.owner).await?;
        }
        let now = store.now().await?;
        let idle = claimed.next_due.map_or(Duration::MAX, |due| due.since(now));
        Ok(Round { tried: claimed.messages.len(), idle })
    }

    /// Marks an event as handled. In the same transaction the store calls the host's function, and if that
    /// fails nothing of either is kept.
    async fn handle(&self, message: &StoredMessage, owner: &str) -> Result<(), OutboxError> {
        let now = self.0.store.now().await?;
        let tries = message.progress.hook_attempts.max(1);
        let hook_again = self.0.schedule.next(tries, now, None, &Rng::system());
        let settlement = Settlement {
            lease: LeaseRef { id: message.content.id, token: message.progress.token },
            outcome: Outcome::Delivered { hook_again },
            report: report(owner, now),
            answer: None,
        };
        let settled = self.0.store.settle(vec![settlement]).await?;
        let applied = settled.first().filter(|settled| settled.applied.is_some());
        let Some(state) = applied.map(|settled| settled.state) else {
            // Its lease was over, and another worker has had it.
            return Ok(());
        };
        self.0.tally.count(|counts| match state {
            State::Delivered => counts.handled += 1,
            _ => {
                counts.failed += 1;
                counts.dead += u64::from(state == State::Dead);
            }
        });
        match state {
            State::Delivered => {}
            State::Dead => self.tell("an event is dead: its handler failed every time", "dead"),
            _ => self.tell("an event's handler failed, and will be called again", "failed"),
        }
        Ok(())
    }

    fn needs_handler(&self) -> Result<(), OutboxError> {
        if self.0.store.has_hook(&self.0.lane) {
            return Ok(());
        }
        let why = format!(
            "the store has no function that handles events of {:?}: give it one by `on_event`",
            self.source()
        );
        Err(OutboxError::new(OutboxErrorKind::Lane, why))
    }

    /// Waits for work, at most so long; whether to stop.
    async fn stops(&self, mut stop: Pin<&mut impl Future<Output = ()>>, idle: Duration) -> bool {
        let mut woken = pin!(self.0.wake.notified());
        let either = poll_fn(|cx| match stop.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => woken.as_mut().poll(cx).map(|()| false),
        });
        rt::until(Some(rt::after(rt::now(), idle)), either).await.unwrap_or(false)
    }
}

impl Worker {
    fn new() -> Self {
        let id = uuid::Builder::from_random_bytes(Rng::system().id_bytes()).into_uuid();
        Self { owner: format!("inbox {id}"), reap_at: rt::now() }
    }
}

fn report(owner: &str, now: Timestamp) -> Report {
    Report { owner: owner.to_owned(), started: now, ended: now, ..Report::default() }
}

/// So many are claimed at once.
const BATCH: usize = 16;
/// Handling the events of one claim should take less. If it doesn't, another worker may take one of them, and
/// the first that has handled it is the one that counts.
const LEASE: Duration = Duration::from_secs(60);
/// How soon events are found that another process recorded.
const POLL: Duration = Duration::from_secs(1);
/// How soon a lease that is over is taken back: a fraction of its length.
const REAP: Duration = Duration::from_secs(5);
