use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;

use super::browse;
use super::claim;
use super::connection::{self, failed};
use super::group::Writer;
use super::ops;
use super::people::{self, Actor};
use super::place::{check_has_one_name, check_is_local, of_file};
use super::reader::Reader;
use crate::outbox::dead_letter::{Acted, Action, Filter, Page, Selection};
use crate::outbox::error::OutboxError;
use crate::outbox::hooks::Hooks;
use crate::outbox::id::MessageId;
use crate::outbox::stats::LaneStats;
use crate::outbox::store::{
    ClaimRequest, Claimed, Enqueued, LeaseRef, Pause, PausedBy, Reaped, Settled, Settlement, Store,
    StoreFuture,
};
use crate::outbox::stored::{Answer, History, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::outcome::BoxError;
use crate::rt::{Clock, Lock};

/// A function of the host that settles delivered messages of a lane, in the transaction that marks them
/// delivered. It runs on the thread that writes, so others wait for it. It must neither begin nor end a transaction.
pub type SqliteHook =
    dyn Fn(&Connection, &StoredMessage, &Answer) -> Result<(), BoxError> + Send + Sync;

/// Messages in one SQLite file. See [`Outbox::sqlite`](crate::outbox::Outbox::sqlite).
///
/// The file must be on a local disk, and must have one name: symbolic links to it are fine, a file with hard links is
/// refused on Unix, because they break SQLite (<https://sqlite.org/howtocorrupt.html>). It may be the host's own database: all names begin with `outrigger_`, and
/// its journal becomes a write-ahead log. Any number of processes may enqueue; one has the workers.
pub struct SqliteStore {
    /// Without links, so that one file has one lock.
    path: PathBuf,
    hooks: Arc<Hooks<SqliteHook>>,
    clock: Clock,
    writer: Writer,
    reader: Reader,
    /// Kept while this process has the workers.
    worker: Arc<Mutex<Option<Connection>>>,
    /// Leases whose claim was answered to nobody yet: their messages were not sent.
    unheard: Arc<Mutex<HashSet<LeaseRef>>>,
}

impl SqliteStore {
    /// Opens the file, or makes it, on the machine's clock and without settling functions.
    ///
    /// It blocks for some milliseconds.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::outbox::OutboxErrorKind::Unsupported) on a network file system, or if the file has several
    /// names or is no SQLite database; [`ReadOnly`](crate::outbox::OutboxErrorKind::ReadOnly),
    /// [`Full`](crate::outbox::OutboxErrorKind::Full) or
    /// [`Unavailable`](crate::outbox::OutboxErrorKind::Unavailable) if it can't be written to.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OutboxError> {
        Self::open_with(path.as_ref(), Clock::system(), BTreeMap::new())
    }

    /// The same on another clock, with settling functions by lane.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(
        path: impl AsRef<Path>,
        clock: Clock,
        hooks: BTreeMap<String, Arc<SqliteHook>>,
    ) -> Result<Self, OutboxError> {
        Self::open_hooked(path.as_ref(), clock, hooks.into())
    }

    pub(in crate::outbox) fn open_hooked(
        path: &Path,
        clock: Clock,
        hooks: Hooks<SqliteHook>,
    ) -> Result<Self, OutboxError> {
        check_is_local(path)?;
        check_has_one_name(path)?;
        let connection = connection::to_write(path)?;
        // A link may have led to a file that was not there before.
        let path = of_file(path)?;
        check_is_local(&path)?;
        check_has_one_name(&path)?;
        let writer = Writer::start(connection, clock)?;
        let reader = Reader::start(connection::to_read(&path)?)?;
        let (hooks, worker, unheard) = (Arc::new(hooks), Arc::default(), Arc::default());
        Ok(Self { path, hooks, clock, writer, reader, worker, unheard })
    }
}

/// Takes the lock that proves that this process has the only workers, if it hasn't it.
fn take(worker: &Mutex<Option<Connection>>, path: &Path) -> Result<(), OutboxError> {
    let mut worker = worker.locked();
    if worker.is_none() {
        *worker = Some(connection::take_worker_lock(path)?);
    }
    Ok(())
}

impl Store for SqliteStore {
    fn now(&self) -> StoreFuture<'_, Timestamp> {
        Box::pin(std::future::ready(Ok(self.clock.wall().into())))
    }

    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>> {
        self.writer.write(move |tx, _| {
            messages.iter().map(|new| ops::enqueue(tx, new).map_err(failed)).collect()
        })
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed> {
        let unheard = Arc::clone(&self.unheard);
        let claiming = self.writer.write(move |tx, now| {
            let claimed = claim::claim(tx, &request, now).map_err(failed)?;
            unheard.locked().extend(claimed.messages.iter().map(LeaseRef::of));
            Ok(claimed)
        });
        Box::pin(async move {
            let claimed = claiming.await?;
            let mut unheard = self.unheard.locked();
            for message in &claimed.messages {
                unheard.remove(&LeaseRef::of(message));
            }
            Ok(claimed)
        })
    }

    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>> {
        self.writer.write(move |tx, now| {
            leases.iter().map(|held| ops::extend(tx, held, lease, now).map_err(failed)).collect()
        })
    }

    fn keep_request(&self, first: LeaseRef, request: Bytes) -> StoreFuture<'_, bool> {
        self.writer.write(move |tx, _| ops::keep_request(tx, &first, &request).map_err(failed))
    }

    fn members(&self, batch: MessageId) -> StoreFuture<'_, Vec<StoredMessage>> {
        self.reader.read(move |tx| ops::members(tx, batch))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Option<Settled>>> {
        let hooks = Arc::clone(&self.hooks);
        self.writer.write(move |tx, now| {
            let hook = |tx: &Connection, message: &StoredMessage, answer: &Answer| {
                hooks.of(&message.content.lane).map_or(Ok(()), |hook| hook(tx, message, answer))
            };
            let settle = |settlement| ops::settle(tx, settlement, now, Some(&hook)).map_err(failed);
            settlements.iter().map(settle).collect()
        })
    }

    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped> {
        self.writer.write(move |tx, now| ops::reap(tx, most, now).map_err(failed))
    }

    fn recover(&self) -> StoreFuture<'_, Reaped> {
        let (worker, unheard) = (Arc::clone(&self.worker), Arc::clone(&self.unheard));
        let path = self.path.clone();
        // After `retire` of workers that stopped before.
        let recovering = self.writer.write(move |tx, now| {
            take(&worker, &path)?;
            ops::recover_all(tx, now, &unheard.locked()).map_err(failed)
        });
        Box::pin(async move {
            let recovered = recovering.await;
            match &recovered {
                Ok(_) => self.unheard.locked().clear(),
                // No worker begins here, so that one of another process may.
                Err(_) => *self.worker.locked() = None,
            }
            recovered
        })
    }

    fn retire(&self) {
        let (worker, unheard) = (Arc::clone(&self.worker), Arc::clone(&self.unheard));
        // After the claims that wait for their turn. Another process waits for this transaction's end.
        drop(self.writer.write(move |tx, now| {
            let given_back = ops::give_back(tx, now, &std::mem::take(&mut *unheard.locked()));
            *worker.locked() = None;
            given_back.map_err(failed)
        }));
    }

    fn pause(&self, pause: Pause) -> StoreFuture<'_, ()> {
        self.writer.write(move |tx, now| {
            ops::pause(tx, &pause).map_err(failed)?;
            let PausedBy::Person(who) = pause.by else { return Ok(()) };
            let by = Actor { who, why: pause.why };
            people::record(tx, None, Some(&pause.lane), "pause", &by, now).map_err(failed)
        })
    }

    fn resume(&self, lane: String, who: String, why: String) -> StoreFuture<'_, ()> {
        self.writer.write(move |tx, now| {
            let by = Actor { who, why };
            people::resume(tx, &lane, &by, now).map_err(failed)
        })
    }

    fn stats(&self, lane: String) -> StoreFuture<'_, LaneStats> {
        let now = self.clock.wall().into();
        self.reader.read(move |tx| browse::stats(tx, &lane, now))
    }

    fn browse(&self, filter: Filter, page: Page) -> StoreFuture<'_, Vec<StoredMessage>> {
        self.reader.read(move |tx| browse::browse(tx, &filter, page))
    }

    fn count(&self, filter: Filter) -> StoreFuture<'_, u64> {
        self.reader.read(move |tx| browse::find_count(tx, &filter))
    }

    fn find(&self, id: MessageId) -> StoreFuture<'_, Option<StoredMessage>> {
        self.reader.read(move |tx| ops::find(tx, id))
    }

    fn get(&self, id: MessageId) -> StoreFuture<'_, Option<History>> {
        self.reader.read(move |tx| browse::get(tx, id))
    }

    fn act(
        &self,
        on: Selection,
        action: Action,
        who: String,
        why: String,
    ) -> StoreFuture<'_, Acted> {
        self.writer.write(move |tx, now| {
            people::act(tx, &on, action, &Actor { who, why }, now).map_err(failed)
        })
    }

    fn edit(
        &self,
        id: MessageId,
        edited: NewMessage,
        who: String,
        why: String,
    ) -> StoreFuture<'_, ()> {
        self.writer.write(move |tx, now| people::edit(tx, id, &edited, &Actor { who, why }, now))
    }

    fn prune(&self, before: Timestamp, most: usize) -> StoreFuture<'_, usize> {
        self.writer.write(move |tx, now| people::prune(tx, before, most, now).map_err(failed))
    }

    fn has_hook(&self, lane: &str) -> bool {
        self.hooks.of(lane).is_some()
    }

    fn hooked(&self) -> Vec<String> {
        self.hooks.hooked()
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("hooks", &self.hooks).finish_non_exhaustive()
    }
}
