use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::error::{OutboxError, OutboxErrorKind};
use super::id::MessageId;
use super::inner::{Inner, ToSettle};
use super::message::Message;
use super::store::Store;
use super::ticket::{Ticket, TicketState};
use super::worker::Worker;
use super::{health, reaper, settler};
use crate::rt::{self, until};

/// A durable queue of calls. See the [module](super). Clones are the same outbox.
#[derive(Clone)]
pub struct Outbox {
    pub(super) inner: Arc<Inner>,
    pub(super) to_settle: Arc<Mutex<mpsc::Receiver<ToSettle>>>,
}

impl Outbox {
    /// Stores a message. When this returns a ticket, the message is delivered, or dead and shown to people, whatever
    /// crashes.
    ///
    /// If the future is dropped before it is ready, the message may be stored all the same.
    ///
    /// # Errors
    ///
    /// The message was not accepted: [`OutboxErrorKind::Message`] or [`OutboxErrorKind::Lane`] if it can't be
    /// sent as it is, else what the store says. After [`OutboxErrorKind::Unavailable`] it may be stored all the
    /// same: enqueue it again with the same [`idempotency_key`](Message::idempotency_key) or
    /// [`dedup_key`](Message::dedup_key).
    pub async fn enqueue(&self, message: Message) -> Result<Ticket, OutboxError> {
        let lane = self.lane_of(&message)?;
        let new = message.build(&lane, self.inner.store.now().await?, &self.inner.rng)?;
        let mut enqueued = self.inner.store.enqueue(vec![new]).await?;
        self.inner.wake(&lane);
        let missing = || OutboxError::new(OutboxErrorKind::Store, "the store didn't answer");
        let enqueued = enqueued.pop().ok_or_else(missing)?;
        Ok(Ticket {
            id: enqueued.id,
            idempotency_key: enqueued.idempotency_key,
            is_duplicate: enqueued.is_duplicate,
        })
    }

    fn lane_of(&self, message: &Message) -> Result<String, OutboxError> {
        let lanes = &self.inner.lanes;
        match (message.lane_name(), &lanes[..]) {
            (Some(named), lanes) => {
                self.has_lane(named).then(|| named.to_owned()).ok_or_else(|| {
                    let names: Vec<_> = lanes.iter().map(|lane| lane.name.as_str()).collect();
                    let why = format!("no lane is named {named:?}: there are {names:?}");
                    OutboxError::new(OutboxErrorKind::Lane, why)
                })
            }
            (None, [only]) => Ok(only.name.clone()),
            (None, _) => Err(OutboxError::new(
                OutboxErrorKind::Lane,
                format!("the outbox has {} lanes: name the message's by `lane`", lanes.len()),
            )),
        }
    }

    /// Whether messages of this lane are delivered, as far as is known.
    pub(crate) fn has_lane(&self, name: &str) -> bool {
        let lanes = &self.inner.lanes;
        // Without lanes, another process delivers them.
        lanes.is_empty() || lanes.iter().any(|lane| lane.name == name)
    }

    /// The lanes of this outbox.
    #[must_use]
    pub fn lane_names(&self) -> Vec<String> {
        self.inner.lanes.iter().map(|lane| lane.name.clone()).collect()
    }

    /// How long messages are kept that are done.
    #[cfg(feature = "inbox")]
    pub(crate) fn retention(&self) -> Duration {
        self.inner.retention
    }

    /// Tells the workers of this process that messages were stored by somebody else, such as a transaction of
    /// the host's. Without it, they look every second, every 5 s where there were none for a while.
    pub fn wake(&self) {
        self.inner.lanes.iter().for_each(|lane| self.inner.wake(&lane.name));
    }

    /// Delivers messages until it is [shut down](Self::shut_down). If it is dropped, it stops at once: the
    /// outcome of what was under way is then unknown, and it is dealt with as after a crash. After that, and after
    /// an error, it may be run again; after a shutdown it may not.
    ///
    /// If the store fails while it runs, it goes on trying.
    ///
    /// # Errors
    ///
    /// It can't begin: [`OutboxErrorKind::Taken`] if it runs already, here or in another process, or was shut
    /// down; or the store doesn't answer. It stops:
    /// [`OutboxErrorKind::Store`] if one of its tasks panicked.
    pub async fn run(&self) -> Result<(), OutboxError> {
        let inner = &self.inner;
        let mut running = Running::begin(inner)?;
        // Before: what is dropped while it waits may have begun.
        running.has_begun = true;
        let reaped = match inner.store.recover().await {
            Ok(reaped) => reaped,
            Err(error) => {
                running.has_begun = false;
                return Err(error);
            }
        };
        reaped.changed.iter().for_each(|recovered| inner.recovered(recovered));
        let mut background = JoinSet::new();
        let (settling, to_settle) = (Arc::clone(inner), Arc::clone(&self.to_settle));
        background.spawn(async move { settler::run(settling, &mut *to_settle.lock().await).await });
        background.spawn(reaper::run(Arc::clone(inner)));
        background.spawn(health::run(Arc::clone(inner)));
        let mut workers = JoinSet::new();
        for lane in &inner.lanes {
            workers.spawn(Worker::new(Arc::clone(inner), Arc::clone(lane)).run());
        }
        let mut stop = inner.stop.subscribe();
        workers.spawn(async move { drop(stop.wait_for(Option::is_some).await) });
        poll_fn(|cx| {
            // A worker ends when it is told to; the others don't end.
            let mut has_panicked = background.poll_join_next(cx).is_ready();
            while let Poll::Ready(ended) = workers.poll_join_next(cx) {
                match ended {
                    None => return Poll::Ready(Ok(())),
                    Some(ended) => has_panicked |= ended.is_err(),
                }
            }
            let why = "a worker panicked, so that all have stopped: look at its message";
            let panicked = || Err(OutboxError::new(OutboxErrorKind::Store, why));
            if has_panicked { Poll::Ready(panicked()) } else { Poll::Pending }
        })
        .await?;
        running.is_over = true;
        Ok(())
    }

    /// Ends [`run`](Self::run): nothing more is claimed, and what is under way has this long to end. What
    /// has not been sent by then, because it waits for a place, is given back; what was sent is dealt with as after a
    /// crash. A later call may only make the end come sooner.
    pub fn shut_down(&self, grace: Duration) {
        let end = rt::after(rt::now(), grace);
        self.inner.stop.send_if_modified(|stop| {
            let is_sooner = stop.is_none_or(|known| end < known);
            if is_sooner {
                *stop = Some(end);
            }
            is_sooner
        });
    }

    /// Where a message stands.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn ticket(&self, id: MessageId) -> Result<TicketState, OutboxError> {
        let found = self.inner.store.find(id).await?;
        Ok(found.map_or(TicketState::Unknown, TicketState::of))
    }

    /// Waits until a message comes to an end or is parked, at most so long, and says where it stands then.
    ///
    /// # Errors
    ///
    /// The store doesn't answer.
    pub async fn wait(&self, id: MessageId, limit: Duration) -> Result<TicketState, OutboxError> {
        let end = rt::after(rt::now(), limit);
        let waiter = self.inner.waiters.wait_for(id);
        let mut pause = SHORTEST;
        loop {
            let changed = waiter.changed();
            let state = self.ticket(id).await?;
            if state.is_final() || rt::now() >= end {
                return Ok(state);
            }
            // Another process may deliver it: then nobody here is told.
            let next = rt::after(rt::now(), pause).min(end);
            let _ = until(Some(next), changed).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// The store, for what has no method here.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.inner.store
    }
}

/// While it lives, nobody else runs the outbox.
struct Running<'a> {
    inner: &'a Inner,
    /// Whether the store counts on its workers.
    has_begun: bool,
    /// It was shut down, and doesn't run again.
    is_over: bool,
}

impl<'a> Running<'a> {
    fn begin(inner: &'a Inner) -> Result<Self, OutboxError> {
        if inner.is_running.swap(true, Ordering::SeqCst) {
            let why = "this outbox runs already, or was shut down: `run` it once, and build another after a shutdown";
            return Err(OutboxError::new(OutboxErrorKind::Taken, why));
        }
        Ok(Self { inner, has_begun: false, is_over: false })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.has_begun {
            self.inner.store.retire();
        }
        self.inner.is_running.store(self.is_over, Ordering::SeqCst);
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("lanes", &self.inner.lanes).finish_non_exhaustive()
    }
}

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);
