//! The thread that reads: browsing doesn't hold up those who write.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection::failed;
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outbox::store::StoreFuture;
use crate::rt;

/// Gives questions to the thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reader(Sender<Question>);

type Question = Box<dyn FnOnce(&Connection) + Send>;

impl Reader {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Result<Self, OutboxError> {
        let (questions, waiting) = channel::<Question>();
        let run = move || {
            while let Ok(question) = waiting.recv() {
                // Its reply is dropped with it.
                let _ = catch_unwind(AssertUnwindSafe(|| question(&connection)));
            }
        };
        rt::thread("outrigger outbox reader", run).map_err(|error| {
            let why = "no thread can be started for the store";
            OutboxError::new(OutboxErrorKind::Unavailable, why).with_source(error)
        })?;
        Ok(Self(questions))
    }

    /// Reads in a transaction, so that all of it is of one moment.
    pub(super) fn read<T, F>(&self, question: F) -> StoreFuture<'static, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let _ = self.0.send(Box::new(move |connection| {
            let transaction = connection.unchecked_transaction();
            let read = transaction.and_then(|transaction| question(&transaction));
            let _ = reply.send(read.map_err(failed));
        }));
        Box::pin(async move {
            let gone =
                || OutboxError::new(OutboxErrorKind::Unavailable, "the store's thread has ended");
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }
}
