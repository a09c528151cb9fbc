use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::record::{FallbackRecord, FallbackRecorder};
use crate::rt::append_file::{AppendFile, PartialWrite};
use crate::rt::clamp_to_year_9999;

/// Writes each record as one line of JSON to the end of a file (feature `serde`).
///
/// A thread of its own writes, so that no call waits for a disk. While the file can't be written,
/// records are kept and written later; if there are more than 100,000, the oldest is lost, which is
/// counted. If the file was moved, a new one is begun. A partial line, after a full disk or the end of a
/// process, stays in the file, and the next record begins on a new line: skip lines that are not JSON.
/// On Unix, only its owner can read a new file. Anything but a regular file is refused: a symbolic link,
/// a pipe, a device, a folder. Dropping the last clone writes what is kept and ends the thread; it waits
/// at most five seconds for a disk that hangs.
///
/// ```no_run
/// use outrigger::fallback::{FallbackLayer, JsonLines};
/// use outrigger::Integration;
/// use http::Response;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let to_repair = JsonLines::create("/var/log/shop/fallbacks.jsonl")?;
/// let rates = Integration::user_flow("rates")
///     .fallback(FallbackLayer::value(Response::new("{}")).record_to(to_repair.clone()))
///     .build()?;
/// println!("{:?}: {} records lost", rates.health(), to_repair.lost());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct JsonLines(Arc<Writer>);

struct Writer(Arc<Shared>);

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<FallbackRecord>,
    /// How many records the thread is writing.
    writing: usize,
    lost: u64,
    trouble: Option<String>,
    is_closed: bool,
    /// The thread has ended.
    is_over: bool,
}

impl JsonLines {
    /// Opens the file, or makes it; lines are added at its end.
    ///
    /// # Errors
    ///
    /// When it can't be opened or is no regular file, or no thread can be started.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let file = AppendFile::create(path.clone())?;
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { path, state, changed });
        let name = "outrigger fallback records".to_owned();
        let writer = Arc::clone(&shared);
        std::thread::Builder::new().name(name).spawn(move || writer.run(file))?;
        Ok(Self(Arc::new(Writer(shared))))
    }

    /// Waits until all records so far are written, for at most `limit`; false if they aren't.
    ///
    /// It blocks: call it when the service shuts down, and not while it serves.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        self.shared().wait(limit, |state| state.writing > 0 || !state.waiting.is_empty())
    }

    /// How many records were lost, because too many waited for a file that couldn't be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared().state().lost
    }

    /// Why the file can't be written now; `None` if it can. Up to 100,000 records are kept meanwhile.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.shared().state().trouble.clone()
    }

    fn shared(&self) -> &Shared {
        &self.0.0
    }
}

impl FallbackRecorder for JsonLines {
    fn record(&self, record: FallbackRecord) {
        let mut state = self.shared().state();
        state.waiting.push_back(record);
        if state.waiting.len() > MAX_RECORDS {
            state.waiting.pop_front();
            state.lost += 1;
        }
        drop(state);
        self.shared().changed.notify_all();
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").field("path", &self.shared().path).finish_non_exhaustive()
    }
}

// === impl Writer ===

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.changed.notify_all();
        // Wait for the records to be written, but not for ever: a disk that hangs must not keep the
        // service from shutting down.
        self.0.wait(CLOSE_LIMIT, |state| !state.is_over);
    }
}

// === impl Shared ===

impl Shared {
    fn run(&self, mut file: AppendFile) {
        while let Some(mut records) = self.next() {
            let lines: Vec<u8> = records.iter().flat_map(line).collect();
            let added = file.add(&lines);
            // Closed, so that it can be moved meanwhile.
            file.close();
            match added {
                Ok(()) => self.written(),
                Err(PartialWrite { whole, error }) => {
                    self.requeue(records.split_off(whole), &error);
                }
            }
        }
        self.state().is_over = true;
        self.changed.notify_all();
    }

    /// Waits until it isn't `busy`, for at most `limit`; false if it still is.
    fn wait(&self, limit: Duration, busy: impl FnMut(&mut State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), limit, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// All waiting records, once there are any; `None` at the end.
    fn next(&self) -> Option<Vec<FallbackRecord>> {
        let state = self.state();
        let idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let state = self.changed.wait_while(state, idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let records: Vec<_> = state.waiting.drain(..).collect();
        state.writing = records.len();
        (!records.is_empty()).then_some(records)
    }

    fn written(&self) {
        let mut state = self.state();
        (state.writing, state.trouble) = (0, None);
        drop(state);
        self.changed.notify_all();
    }

    /// Puts records back at the front, and waits for a while. After the last clone is dropped, they are
    /// lost.
    fn requeue(&self, records: Vec<FallbackRecord>, error: &io::Error) {
        let mut state = self.state();
        state.writing = 0;
        state.trouble = Some(error.to_string());
        let room = MAX_RECORDS.saturating_sub(state.waiting.len());
        let lost = if state.is_closed { records.len() } else { records.len().saturating_sub(room) };
        state.lost += lost as u64;
        records.into_iter().skip(lost).rev().for_each(|record| state.waiting.push_front(record));
        drop(state);
        self.wait(RETRY_DELAY, |state| !state.is_closed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(record: &FallbackRecord) -> Vec<u8> {
    let mut line = json!({
        "at": humantime::format_rfc3339_millis(clamp_to_year_9999(record.at)).to_string(),
        "integration": record.integration,
        "method": record.method.as_str(),
        "path": record.path.as_ref().map(ToString::to_string),
        "business_key": record.business_key.as_ref().map(ToString::to_string),
        "idempotency_key": record.idempotency_key,
        "correlation_id": record.correlation_id.as_ref().map(ToString::to_string),
        "call_id": record.call_id.to_string(),
        "attempts": record.attempts,
        "class": record.class.to_string(),
        "status": record.status.map(|status| status.as_u16()),
        "error": record.error,
        "delivery": record.delivery.name(),
        "elapsed": record.elapsed.as_secs_f64(),
    })
    .to_string()
    .into_bytes();
    line.push(b'\n');
    line
}

/// About fifty megabytes.
const MAX_RECORDS: usize = 100_000;
/// The wait before a file that couldn't be written is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long dropping the last clone may wait for the records.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
