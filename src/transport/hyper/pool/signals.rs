use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

use super::upload::Tasks;

/// Signals that the parts of one connection share: its I/O, its users and its tasks.
#[derive(Debug)]
pub(in super::super) struct Signals {
    /// How many streams the peer takes at once.
    max_streams: AtomicU32,
    /// The peer takes no new streams (GOAWAY).
    leaving: AtomicBool,
    /// The connection is to be closed, even if requests are using it.
    aborted: AtomicBool,
    /// Bytes that were written.
    written: AtomicU64,
    /// Tells the task that drives the connection.
    changed: Notify,
    /// Those that hyper runs over HTTP/2.
    pub(super) tasks: Tasks,
}

impl Signals {
    pub(super) fn max_streams(&self) -> u32 {
        self.max_streams.load(Ordering::Relaxed)
    }

    pub(super) fn set_max_streams(&self, streams: u32) {
        self.max_streams.store(streams, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Relaxed)
    }

    pub(super) fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub(in super::super) fn add_written(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Has the connection polled once more.
    pub(super) fn nudge(&self) {
        self.changed.notify_one();
    }

    /// Ready when there was a signal since the last call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            max_streams: AtomicU32::new(STREAMS_UNTOLD),
            leaving: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
            written: AtomicU64::new(0),
            changed: Notify::new(),
            tasks: Tasks::default(),
        }
    }
}

/// How many streams are opened before the peer has announced its limit. It announces that first
/// (RFC 9113, 3.4), so that other requests wait for less than a round trip. A host refuses streams
/// over its limit, and each refusal costs an attempt.
const STREAMS_UNTOLD: u32 = 1;
