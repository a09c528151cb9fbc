use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::signals::Signals;
use crate::rt::{self, Draw, Lock};
use crate::terms::CloseCause;
use crate::transport::pool::PoolLimits;

/// The state of a connection, shared by its users and the task that drives it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: u64,
    born: Instant,
    /// Where its life ends around the one that is set.
    spread: Draw,
    /// Requests that are using it.
    active: AtomicU32,
    /// When the last of them ended, in nanoseconds from birth.
    last_used: AtomicU64,
    /// It was kept or shared since it was made, and may have been closed meanwhile.
    kept: AtomicBool,
    /// Its task is over; it did break, or did not.
    ended: AtomicBool,
    /// Its end was counted.
    counted: AtomicBool,
    /// The caller of its request went away.
    abandoned: AtomicBool,
    /// It returned a request: it takes no more requests, even if hyper doesn't say so yet.
    refuses: AtomicBool,
    /// The error that broke it, for the request that finds it broken.
    failure: Mutex<Option<hyper::Error>>,
    /// Signals between its users, its peer and its task.
    pub(super) signals: Arc<Signals>,
    /// The cause of its closing, once there is one.
    cause: OnceLock<CloseCause>,
}

impl Record {
    pub(super) fn new(id: u64, spread: Draw, signals: Arc<Signals>) -> Self {
        Self {
            id,
            born: rt::now(),
            spread,
            active: AtomicU32::new(0),
            last_used: AtomicU64::new(0),
            kept: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            failure: Mutex::new(None),
            ended: AtomicBool::new(false),
            counted: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            signals,
            cause: OnceLock::new(),
        }
    }

    pub(super) fn lived(&self) -> Duration {
        rt::now().saturating_duration_since(self.born)
    }

    pub(super) fn is_expired(&self, now: Instant, limits: &PoolLimits) -> bool {
        self.expires(limits).is_some_and(|expires| now >= expires)
    }

    /// Whether it is too old, or was unused for too long.
    pub(super) fn age(&self, now: Instant, limits: &PoolLimits) -> Option<CloseCause> {
        let left_alone = self.idle_since().zip(limits.idle);
        match left_alone {
            _ if self.is_expired(now, limits) => Some(CloseCause::Expired),
            Some((since, limit)) if now >= rt::after(since, limit) => Some(CloseCause::Idle),
            _ => None,
        }
    }

    /// Closes it if it is too old, or was unused for too long.
    pub(super) fn name_age(&self, now: Instant, limits: &PoolLimits) {
        if let Some(cause) = self.age(now, limits) {
            self.close_for(cause);
        }
    }

    /// When it is too old. Spread at random, so that connections that were made together don't end
    /// together.
    pub(super) fn expires(&self, limits: &PoolLimits) -> Option<Instant> {
        limits.life.map(|life| rt::after(self.born, self.spread.about(life)))
    }

    pub(super) fn begin_use(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end_use(&self, now: Instant) {
        let lived = now.saturating_duration_since(self.born);
        let since_birth = u64::try_from(lived.as_nanos()).unwrap_or(u64::MAX);
        self.last_used.store(since_birth, Ordering::Relaxed);
        self.active.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.active.load(Ordering::Relaxed) == 0
    }

    /// Since when it is unused, if it is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.is_idle().then(|| self.last_used())
    }

    fn last_used(&self) -> Instant {
        let since_birth = Duration::from_nanos(self.last_used.load(Ordering::Relaxed));
        rt::after(self.born, since_birth)
    }

    pub(super) fn abandon(&self, abandoned: bool) {
        self.abandoned.store(abandoned, Ordering::Relaxed);
    }

    /// Marks it as unused.
    pub(super) fn keep(&self) {
        self.set_kept();
        self.abandon(false);
    }

    /// It was used before, or is by others too.
    pub(super) fn set_kept(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// Whether a request was answered on it since then, which proves that it is alive.
    pub(super) fn was_used_since(&self, since: Instant) -> bool {
        self.last_used() >= since
    }

    /// Whether the peer takes another stream beside those that are open.
    pub(super) fn takes_stream(&self) -> bool {
        self.active.load(Ordering::Relaxed) < self.signals.max_streams()
    }

    pub(super) fn refuse(&self) {
        self.refuses.store(true, Ordering::Relaxed);
    }

    /// Whether it takes no more requests, as it or its peer has announced.
    pub(super) fn refuses(&self) -> bool {
        self.refuses.load(Ordering::Relaxed) || self.signals.is_leaving()
    }

    pub(super) fn broke(&self, how: hyper::Error) {
        self.close_for(CloseCause::Broken);
        *self.failure.locked() = Some(how);
    }

    pub(super) fn take_failure(&self) -> Option<hyper::Error> {
        self.failure.locked().take()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Its task is over.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// What closed it, once it is known; says so once.
    ///
    /// hyper tells a request, and not the connection's task, that an answer never came. So who
    /// still used it when its task was over has the last word.
    pub(super) fn final_cause(&self) -> Option<CloseCause> {
        let over = self.ended.load(Ordering::SeqCst) && self.active.load(Ordering::SeqCst) == 0;
        if !over || self.counted.swap(true, Ordering::SeqCst) {
            return None;
        }
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        let unnamed = if abandoned { CloseCause::Cut } else { CloseCause::ByPeer };
        Some(self.cause().unwrap_or(unnamed))
    }

    /// Sets why it will be closed, unless a cause is set already. Returns whether this one was set.
    pub(super) fn close_for(&self, cause: CloseCause) -> bool {
        self.cause.set(cause).is_ok()
    }

    /// Sets why, and ends its task at once: its requests fail, and its socket is closed.
    pub(super) fn abort_for(&self, cause: CloseCause) {
        self.close_for(cause);
        self.signals.abort();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.cause.get().is_some()
    }

    /// The cause of its closing, if one was set.
    pub(super) fn cause(&self) -> Option<CloseCause> {
        self.cause.get().copied()
    }
}
