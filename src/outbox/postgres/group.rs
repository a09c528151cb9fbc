//! Callers that enqueue at the same time share a statement, so that they wait for one sync of the server's
//! disk instead of one each.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tokio::sync::{Semaphore, oneshot};

use super::store::PostgresStore;
use crate::outbox::error::OutboxError;
use crate::outbox::store::Enqueued;
use crate::outbox::stored::NewMessage;
use crate::rt::Lock;

type Stored = Result<Vec<Enqueued>, OutboxError>;

/// Those who wait, and whose turn it is to store for all of them.
pub(super) struct Group {
    waiting: Mutex<Vec<Waiting>>,
    turn: Semaphore,
}

struct Waiting {
    messages: Arc<[NewMessage]>,
    reply: oneshot::Sender<Stored>,
}

impl Group {
    pub(super) fn new() -> Self {
        Self { waiting: Mutex::default(), turn: Semaphore::new(1) }
    }

    fn join(&self, messages: Arc<[NewMessage]>) -> oneshot::Receiver<Stored> {
        let (reply, answer) = oneshot::channel();
        self.waiting.locked().push(Waiting { messages, reply });
        answer
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.locked();
        let most = waiting.len().min(LARGEST);
        waiting.drain(..most).collect()
    }
}

/// Whether nothing makes it wait for another transaction: neither an order nor a key of the caller's.
pub(super) fn is_free(new: &NewMessage) -> bool {
    let content = &new.content;
    content.order_key.is_none()
        && content.dedup_key.is_none()
        && content.idempotency_key == content.id.to_string()
}

impl PostgresStore {
    /// Stores messages together with those of other callers.
    pub(super) async fn enqueue_together(&self, messages: Vec<NewMessage>) -> Stored {
        let messages: Arc<[NewMessage]> = messages.into();
        let mut answer = self.group.join(Arc::clone(&messages));
        loop {
            let mut turn = pin!(self.group.turn.acquire());
            // Absent if it is this one's turn.
            let answered = poll_fn(|cx| match Pin::new(&mut answer).poll(cx) {
                Poll::Ready(answered) => Poll::Ready(Ok(answered)),
                Poll::Pending => turn.as_mut().poll(cx).map(Err),
            });
            match answered.await {
                Ok(Ok(stored)) => return stored,
                // Whose turn it was has been dropped.
                Ok(Err(_)) => answer = self.group.join(Arc::clone(&messages)),
                Err(_turn) => self.store_waiting().await,
            }
        }
    }

    async fn store_waiting(&self) {
        let group = self.group.take();
        let all: Vec<_> = group.iter().flat_map(|one| one.messages.iter().cloned()).collect();
        match self.store_all(&all).await {
            Ok(stored) => {
                let mut stored = stored.into_iter();
                for one in group {
                    let own = stored.by_ref().take(one.messages.len()).collect();
                    // Whoever asked may have left.
                    let _ = one.reply.send(Ok(own));
                }
            }
            Err(error) if error.is_transient() => {
                for one in group {
                    let _ = one.reply.send(Err(OutboxError::new(error.kind(), error.to_string())));
                }
            }
            // It may be about one of them.
            Err(_) => {
                for one in group {
                    let _ = one.reply.send(self.store_all(&one.messages).await);
                }
            }
        }
    }
}

/// Callers that share a statement: more would make it long, and save little.
const LARGEST: usize = 128;
