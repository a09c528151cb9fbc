use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::pending::PendingRecord;
use super::record::AuditRecord;
use super::sink::AuditSink;
use crate::outcome::BoxError;
use crate::redact::Redactor;
use crate::rt::{Lock, callback};

/// A queue of records for the thread that writes them.
pub(super) struct Queue {
    most: usize,
    pub(super) state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    waiting: VecDeque<PendingRecord>,
    /// Records that the thread has taken and not yet written.
    writing: usize,
    /// Records that were added, and that were written or lost, since the queue was made.
    enqueued: u64,
    completed: u64,
    /// The value of `completed` that the first call of `flush` waits for.
    awaited: Option<u64>,
    /// The size of the exchanges of all these records.
    exchange_bytes: usize,
    pub(super) dropped: u64,
    pub(super) forgotten: u64,
    pub(super) last_error: Option<String>,
    is_closed: bool,
    is_finished: bool,
}

/// The work of the thread.
pub(super) struct Writer {
    queue: Arc<Queue>,
    sink: Box<dyn AuditSink>,
    redactor: Box<dyn Redactor>,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn push(&self, mut pending: PendingRecord) {
        let exchange_bytes = pending.exchange_bytes();
        let mut state = self.state.locked();
        if state.waiting.len() + state.writing >= self.most {
            state.dropped += 1;
            return;
        }
        let forgotten = match state.exchange_bytes + exchange_bytes > MAX_EXCHANGE_BYTES {
            true => {
                state.forgotten += 1;
                pending.take_exchange()
            }
            false => {
                state.exchange_bytes += exchange_bytes;
                None
            }
        };
        state.waiting.push_back(pending);
        state.enqueued += 1;
        drop(state);
        drop(forgotten);
        self.changed.notify_all();
    }

    pub(super) fn flush(&self, limit: Duration) -> bool {
        let so_far = self.state.locked().enqueued;
        self.wait(limit, |state| {
            let busy = state.completed < so_far;
            if busy {
                state.awaited = Some(state.awaited.map_or(so_far, |first| first.min(so_far)));
            }
            busy
        })
    }

    /// Ends the thread once everything is written. Waits at most `limit` for that.
    pub(super) fn close(&self, limit: Duration) {
        self.state.locked().is_closed = true;
        self.changed.notify_all();
        self.wait(limit, |state| !state.is_finished);
    }

    fn wait(&self, limit: Duration, busy: impl FnMut(&mut State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.state.locked(), limit, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits for records and takes a few; `None` at the end.
    fn next(&self) -> Option<Vec<PendingRecord>> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let state = self.changed.wait_while(self.state.locked(), idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let few = state.waiting.len().min(MAX_BATCH);
        let records: Vec<_> = state.waiting.drain(..few).collect();
        state.writing = records.len();
        (!records.is_empty()).then_some(records)
    }

    /// Whether to flush the sink after this record.
    fn is_due(&self) -> bool {
        let mut state = self.state.locked();
        let (completed, is_last) =
            (state.completed + 1, state.writing == 1 && state.waiting.is_empty());
        is_last || state.awaited.take_if(|awaited| *awaited <= completed).is_some()
    }

    fn written(&self, exchange_bytes: usize) {
        let mut state = self.state.locked();
        state.writing = state.writing.saturating_sub(1);
        state.completed += 1;
        state.exchange_bytes = state.exchange_bytes.saturating_sub(exchange_bytes);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits before a record is tried again. Returns false at the end, without waiting.
    fn pause(&self) -> bool {
        !self.wait(RETRY_AFTER, |state| !state.is_closed)
    }
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        queue: Arc<Queue>,
        sink: Box<dyn AuditSink>,
        redactor: Box<dyn Redactor>,
    ) -> Self {
        Self { queue, sink, redactor }
    }

    pub(super) fn start(self) -> io::Result<()> {
        let name = "outrigger audit".to_owned();
        std::thread::Builder::new().name(name).spawn(move || self.run()).map(drop)
    }

    fn run(mut self) {
        while let Some(records) = self.queue.next() {
            for pending in records {
                self.write(&pending);
                let exchange_bytes = pending.exchange_bytes();
                drop(pending);
                if self.queue.is_due() {
                    let flushed = guarded(|| self.sink.flush());
                    if let Err(error) = flushed {
                        self.queue.state.locked().last_error = Some(error);
                    }
                }
                self.queue.written(exchange_bytes);
            }
        }
        // Drop the sink first: `close` waits for that, too.
        let queue = Arc::clone(&self.queue);
        let _ = callback::call(SINK, || drop(self));
        queue.state.locked().is_finished = true;
        queue.changed.notify_all();
    }

    fn write(&mut self, pending: &PendingRecord) {
        let redacted = callback::call("redactor", || pending.redacted(&*self.redactor));
        let record: AuditRecord = redacted.unwrap_or_else(|| pending.bare());
        for tried in 1..=TRIES {
            let error = guarded(|| self.sink.write(&record)).err();
            let is_written = error.is_none();
            self.queue.state.locked().last_error = error;
            if is_written {
                return;
            }
            if tried == TRIES || !self.queue.pause() {
                break;
            }
        }
        self.queue.state.locked().dropped += 1;
    }
}

/// Runs the sink's code, and turns a panic into an error.
fn guarded(work: impl FnOnce() -> Result<(), BoxError>) -> Result<(), String> {
    match callback::call(SINK, || work().map_err(|error| error.to_string())) {
        Some(result) => result,
        None => Err("the sink panicked".to_owned()),
    }
}

/// The sink's name in the report of a panic.
const SINK: &str = "audit sink";

/// Most services can spare this while a disk is slow. It is enough for 10,000 failures with 3 KiB
/// of each body.
const MAX_EXCHANGE_BYTES: usize = 64 * 1024 * 1024;
/// Few enough that the thread holds little at a time.
const MAX_BATCH: usize = 64;
const TRIES: u32 = 3;
/// How long to wait before a failed write is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
