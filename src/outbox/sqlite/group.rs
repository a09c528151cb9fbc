//! The thread that writes: what waits for it goes into one transaction, and is answered after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection::failed;
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outbox::store::StoreFuture;
use crate::outbox::time::Timestamp;
use crate::rt::{self, Clock};

/// Gives work to the thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer(Sender<Box<dyn Job>>);

/// A piece of work, with whoever waits for its result.
trait Job: Send {
    /// Does it, inside of the group's transaction. False if it failed and has to be rolled back.
    fn run(&mut self, connection: &Connection, now: Timestamp) -> bool;

    /// Answers, with the group's failure if there is one.
    fn finish(self: Box<Self>, group: Option<&Failure>);
}

struct Work<T, F> {
    work: Option<F>,
    done: Option<Result<T, OutboxError>>,
    reply: oneshot::Sender<Result<T, OutboxError>>,
}

/// Why a whole group failed.
struct Failure {
    kind: OutboxErrorKind,
    why: String,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection, clock: Clock) -> Result<Self, OutboxError> {
        let (jobs, waiting) = channel();
        rt::thread("outrigger outbox", move || run(&connection, &waiting, &clock)).map_err(
            |error| {
                let why = "no thread can be started for the store";
                OutboxError::new(OutboxErrorKind::Unavailable, why).with_source(error)
            },
        )?;
        Ok(Self(jobs))
    }

    /// Does work in a transaction, and answers when it is committed.
    pub(super) fn write<T, F>(&self, work: F) -> StoreFuture<'static, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Timestamp) -> Result<T, OutboxError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        // If the thread is gone, the reply is dropped.
        let _ = self.0.send(Box::new(Work { work: Some(work), done: None, reply }));
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(stopped())) })
    }
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&Connection, Timestamp) -> Result<T, OutboxError> + Send,
{
    fn run(&mut self, connection: &Connection, now: Timestamp) -> bool {
        let Some(work) = self.work.take() else { return true };
        let done = catch_unwind(AssertUnwindSafe(|| work(connection, now)));
        let done = done.unwrap_or_else(|_| Err(panicked()));
        let is_done = done.is_ok();
        self.done = Some(done);
        is_done
    }

    fn finish(self: Box<Self>, group: Option<&Failure>) {
        let done = match (self.done, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(failure)) => Err(OutboxError::new(failure.kind, failure.why.clone())),
            (Some(done), None) => done,
            (None, None) => Err(stopped()),
        };
        // Whoever asked may have left.
        let _ = self.reply.send(done);
    }
}

fn run(connection: &Connection, waiting: &Receiver<Box<dyn Job>>, clock: &Clock) {
    while let Ok(first) = waiting.recv() {
        let mut group: Vec<_> =
            [first].into_iter().chain(waiting.try_iter().take(LARGEST - 1)).collect();
        let failure = transact(connection, &mut group, clock).err();
        let failure = failure.map(|error| Failure { kind: error.kind(), why: error.to_string() });
        for job in group {
            job.finish(failure.as_ref());
        }
    }
}

fn transact(
    connection: &Connection,
    group: &mut [Box<dyn Job>],
    clock: &Clock,
) -> Result<(), OutboxError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let done = each(connection, group, clock).and_then(|()| execute(connection, "COMMIT"));
    if done.is_err() && !connection.is_autocommit() {
        // If this fails, too, the next `BEGIN` tells.
        let _ = execute(connection, "ROLLBACK");
    }
    done
}

/// Each job in a savepoint of its own, so that one that fails takes no other along.
fn each(
    connection: &Connection,
    group: &mut [Box<dyn Job>],
    clock: &Clock,
) -> Result<(), OutboxError> {
    for job in group {
        execute(connection, "SAVEPOINT job")?;
        if !job.run(connection, clock.wall().into()) && !connection.is_autocommit() {
            execute(connection, "ROLLBACK TO job")?;
        }
        if connection.is_autocommit() {
            // A full disk ends the whole transaction; so does a function of the host's that commits.
            let why = "the transaction was ended by an error, or by a settling function";
            return Err(OutboxError::new(OutboxErrorKind::Unavailable, why));
        }
        execute(connection, "RELEASE job")?;
    }
    Ok(())
}

pub(super) fn execute(connection: &Connection, sql: &str) -> Result<(), OutboxError> {
    let statement = connection.prepare_cached(sql);
    statement.and_then(|mut statement| statement.execute([])).map(drop).map_err(failed)
}

fn stopped() -> OutboxError {
    OutboxError::new(OutboxErrorKind::Unavailable, "the store's thread has ended")
}

fn panicked() -> OutboxError {
    OutboxError::new(OutboxErrorKind::Store, "a statement panicked")
}

/// The most pieces of work in a transaction: enough to share a sync, and few enough to answer soon.
const LARGEST: usize = 256;
