use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How far one attempt's request body has come, where a limit asks for it.
///
/// It rides in the request's extensions. A transport that sees its writes tells of them; without one,
/// what was handed over counts as taken.
#[derive(Clone, Debug)]
pub struct UploadProgress(Arc<Progress>);

#[derive(Debug)]
struct Progress {
    began: Instant,
    /// When something of it was last taken, in nanoseconds from the beginning.
    moved: AtomicU64,
    stage: AtomicU8,
    counts_writes: AtomicBool,
}

/// What is known of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    /// It waits here for a connection: the provider could take nothing of it.
    Waiting,
    /// The provider took something of it, or could have begun to, at this time.
    Moved(Instant),
    /// All of it was taken at this time.
    Done(Instant),
}

impl UploadProgress {
    pub(crate) fn new(began: Instant) -> Self {
        Self(Arc::new(Progress {
            began,
            moved: AtomicU64::new(0),
            stage: AtomicU8::new(MOVING),
            counts_writes: AtomicBool::new(false),
        }))
    }

    pub(crate) fn state(&self) -> Upload {
        // The stage first: it is written last.
        let stage = self.0.stage.load(Ordering::Acquire);
        let at = self.0.began + Duration::from_nanos(self.0.moved.load(Ordering::Relaxed));
        match stage {
            WAITING | WAITING_EMPTY => Upload::Waiting,
            DONE => Upload::Done(at),
            _ => Upload::Moved(at),
        }
    }

    /// A part of the body was handed over.
    pub(crate) fn handed_over(&self, now: Instant) {
        if !self.counts_writes() {
            self.moved(now);
        }
    }

    /// All of the body was handed over.
    pub(crate) fn ended(&self, now: Instant) {
        match self.counts_writes() {
            true => self.0.stage.store(HANDED_OVER, Ordering::Release),
            false => self.done(now),
        }
    }

    fn counts_writes(&self) -> bool {
        self.0.counts_writes.load(Ordering::Relaxed)
    }

    fn moved(&self, now: Instant) {
        let since = now.saturating_duration_since(self.0.began).as_nanos();
        self.0.moved.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn done(&self, now: Instant) {
        self.moved(now);
        self.0.stage.store(DONE, Ordering::Release);
    }
}

/// What a transport tells that sees its own connections.
#[cfg(feature = "hyper")]
impl UploadProgress {
    /// There is no connection for it yet.
    pub(crate) fn wait(&self) {
        self.step(MOVING, WAITING);
        self.step(DONE, WAITING_EMPTY);
    }

    /// There is one now.
    pub(crate) fn go(&self, now: Instant) {
        match self.stage() {
            WAITING => {
                self.moved(now);
                self.step(WAITING, MOVING);
            }
            WAITING_EMPTY => self.done(now),
            _ => {}
        }
    }

    /// From here on, what is written counts, or else what is handed over.
    pub(crate) fn count_writes(&self, counts: bool) {
        self.0.counts_writes.store(counts, Ordering::Relaxed);
    }

    /// Something was written.
    pub(crate) fn wrote(&self, now: Instant) {
        if self.stage() != DONE {
            self.moved(now);
        }
    }

    /// All that was handed over is written.
    pub(crate) fn flushed(&self, now: Instant) {
        if self.stage() == HANDED_OVER {
            self.done(now);
        }
    }

    fn stage(&self) -> u8 {
        self.0.stage.load(Ordering::Acquire)
    }

    fn step(&self, from: u8, to: u8) {
        // Where it is further on already, it stays there.
        let _ = self.0.stage.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
    }
}

const MOVING: u8 = 0;
const WAITING: u8 = 1;
/// The client has all of the body, and has yet to write some of it.
const HANDED_OVER: u8 = 2;
const DONE: u8 = 3;
/// There is nothing to send but the head, which waits.
const WAITING_EMPTY: u8 = 4;
