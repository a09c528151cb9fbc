use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use tokio::sync::{Notify, watch};

use super::stored::StoredAnswer;
use crate::context::Context;
use crate::outcome::Error;
use crate::rt::Lock;

/// One fetch that several calls may wait for. Clones are the same one.
#[derive(Clone)]
pub(super) struct Flight(Arc<Inner>);

struct Inner {
    /// Calls that wait for it, or read its answer.
    waiting: AtomicUsize,
    /// How many have waited for it.
    joined: AtomicUsize,
    /// The last of them has left.
    left: Notify,
    landed: watch::Sender<Option<Landed>>,
    /// A call's time has run out over it.
    is_late: AtomicBool,
    /// Of a background refresh, the facts of what it sends.
    background: OnceLock<Context>,
    /// It gave way to a call's fetch.
    gave_way: Notify,
    /// Until when calls wait for it.
    lasts: Mutex<Lasting>,
}

/// Until when the last of those who wait for a fetch waits.
#[derive(Default)]
struct Lasting {
    /// The fetch's own facts, once it has begun.
    context: Option<Context>,
    /// The deadlines of those who joined before that.
    earlier: Vec<Option<Instant>>,
}

/// What a fetch came to, for those who didn't begin it.
#[derive(Clone)]
pub(super) enum Landed {
    /// This answer is stored.
    Stored(Arc<StoredAnswer>),
    /// Its answer isn't for others.
    NotShared,
    /// It failed.
    Failed(Arc<Error>),
}

/// A call that waits for a fetch, or reads its answer.
pub(super) struct Waiter(Flight);

impl Flight {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            waiting: AtomicUsize::new(0),
            joined: AtomicUsize::new(0),
            left: Notify::new(),
            landed: watch::Sender::new(None),
            is_late: AtomicBool::new(false),
            background: OnceLock::new(),
            gave_way: Notify::new(),
            lasts: Mutex::default(),
        }))
    }

    /// One more waits, until the guard is dropped.
    pub(super) fn wait(&self) -> Waiter {
        self.0.waiting.fetch_add(1, Ordering::AcqRel);
        self.0.joined.fetch_add(1, Ordering::AcqRel);
        Waiter(self.clone())
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.0.waiting.load(Ordering::Acquire) > 0
    }

    /// Whether calls have waited for it besides the one that began it.
    pub(super) fn is_followed(&self) -> bool {
        self.0.joined.load(Ordering::Acquire) > 1
    }

    /// Waits until somebody has left, perhaps as the last one.
    pub(super) async fn left(&self) {
        self.0.left.notified().await;
    }

    /// A call's time runs out over it. Returns whether that is the first one.
    pub(super) fn is_first_late(&self) -> bool {
        !self.0.is_late.swap(true, Ordering::AcqRel)
    }

    /// It has begun, with this context, whose deadline is that of the call that began it.
    pub(super) fn lasts_for(&self, context: Context) {
        let mut lasts = self.0.lasts.locked();
        lasts.earlier.drain(..).for_each(|deadline| context.call().end_by_the_later(deadline));
        lasts.context = Some(context);
    }

    /// A call waits for it until then, or without an end.
    pub(super) fn lasts_until(&self, deadline: Option<Instant>) {
        let mut lasts = self.0.lasts.locked();
        match &lasts.context {
            Some(context) => context.call().end_by_the_later(deadline),
            None => lasts.earlier.push(deadline),
        }
    }

    /// It is a background refresh, with this context.
    pub(super) fn set_in_background(&self, context: Context) {
        let _ = self.0.background.set(context);
    }

    /// Whether it is a background refresh that still waits for its turn behind all calls: it ends for a call,
    /// which goes sooner.
    pub(super) fn gives_way(&self) -> bool {
        let background = self.0.background.get();
        let gives_way = background.is_some_and(|context| context.state().has_not_left());
        if gives_way {
            self.0.gave_way.notify_one();
        }
        gives_way
    }

    /// Waits until it has given way.
    pub(super) async fn gave_way(&self) {
        self.0.gave_way.notified().await;
    }

    /// Tells all who wait what it came to.
    pub(super) fn land(&self, landed: Landed) {
        self.0.landed.send_replace(Some(landed));
    }

    /// What it came to, once it has ended.
    pub(super) async fn landed(&self) -> Landed {
        let mut receiver = self.0.landed.subscribe();
        match receiver.wait_for(Option::is_some).await {
            Ok(landed) => landed.clone().unwrap_or(Landed::NotShared),
            Err(_) => Landed::NotShared,
        }
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let flight = &self.0.0;
        if flight.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            flight.left.notify_one();
        }
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flight")
    }
}
