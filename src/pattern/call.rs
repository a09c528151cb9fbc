use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use super::call_box::CallControl;
use crate::context::{self, Moment};
use crate::rt;

/// One call, from its request to the end of its answer's body: its facts and its time.
///
/// Time stands still during one poll of the call's code. The clock is read only if it is needed.
#[derive(Debug)]
pub struct Call {
    facts: Arc<context::Call>,
    control: Arc<CallControl>,
}

/// A call's time, shared with the call box that polls it.
#[derive(Debug)]
pub(super) struct Time {
    /// The time when the clock was last read.
    seen: AtomicU64,
    /// The clock was read during this poll.
    is_fresh: AtomicBool,
    /// The earliest time at which the code wants to be polled again.
    wake: AtomicU64,
}

impl Call {
    pub(super) fn new(facts: Arc<context::Call>, control: Arc<CallControl>) -> Self {
        Self { facts, control }
    }

    /// The call's facts.
    pub(crate) fn facts(&self) -> &context::Call {
        &self.facts
    }

    /// The time of this poll.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.moment().instant(self.facts.started)
    }

    /// When the call began.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.facts.started
    }

    /// How long the call has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now().saturating_duration_since(self.facts.started)
    }

    /// When the call must have ended.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.facts.deadline()
    }

    /// Runs `inner` until `due`; `None` if it wasn't ready by then. `inner` is polled before the
    /// time is checked.
    ///
    /// This needs no timer: the call has one, set to the earliest time that any pattern waits for.
    /// So the returned future must be polled whenever the pattern is. A `select!` does that, a
    /// `FuturesUnordered` doesn't.
    pub fn until<F: Future>(&self, due: impl Into<Option<Instant>>, inner: F) -> Until<'_, F> {
        let due = due.into().map_or(Moment::NEVER, |due| self.facts.moment(due));
        self.until_moment(due, inner)
    }

    /// The same, for a time of the call.
    pub(crate) fn until_moment<F: Future>(&self, due: Moment, inner: F) -> Until<'_, F> {
        Until { call: self, due, inner }
    }

    /// The time of this poll, as a time of the call.
    pub(crate) fn moment(&self) -> Moment {
        self.control.time.now(self.facts.started)
    }

    /// Asks for the code to be polled again at this time, if not sooner. To be repeated at every
    /// poll.
    pub(crate) fn wake_at(&self, at: Instant) {
        self.wake_at_moment(self.facts.moment(at));
    }

    /// The same, for a time of the call.
    pub(crate) fn wake_at_moment(&self, at: Moment) {
        self.control.time.wake_by(at);
    }

    /// Waits until `due`.
    pub async fn sleep_until(&self, due: Instant) {
        self.until(due, std::future::pending::<()>()).await;
    }

    /// Waits for the time `wait`.
    pub async fn sleep(&self, wait: Duration) {
        self.sleep_until(rt::after(self.now(), wait)).await;
    }
}

// === impl Time ===

impl Time {
    pub(super) fn new() -> Self {
        Self {
            seen: AtomicU64::new(0),
            is_fresh: AtomicBool::new(false),
            wake: AtomicU64::new(Moment::NEVER.0),
        }
    }

    /// Begins another poll.
    #[inline]
    pub(super) fn begin_poll(&self) {
        self.is_fresh.store(false, Relaxed);
        self.wake.store(Moment::NEVER.0, Relaxed);
    }

    #[inline]
    fn now(&self, started: Instant) -> Moment {
        if self.is_fresh.load(Relaxed) {
            return Moment(self.seen.load(Relaxed));
        }
        let now = Moment::of(started, rt::now());
        self.seen.store(now.0, Relaxed);
        self.is_fresh.store(true, Relaxed);
        now
    }

    fn wake_by(&self, due: Moment) {
        // Only the task that polls the code writes here.
        self.wake.store(self.wake.load(Relaxed).min(due.0), Relaxed);
    }

    /// When the code wants to be polled again; [`Moment::NEVER`] if it has not asked for that.
    pub(super) fn wake_at(&self) -> Moment {
        Moment(self.wake.load(Relaxed))
    }
}

pin_project! {
    /// See [`Call::until`].
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct Until<'a, F> {
        call: &'a Call,
        due: Moment,
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Until<'_, F> {
    type Output = Option<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.inner.poll(cx) {
            return Poll::Ready(Some(output));
        }
        if *this.due == Moment::NEVER {
            return Poll::Pending;
        }
        if this.call.moment() >= *this.due {
            return Poll::Ready(None);
        }
        this.call.control.time.wake_by(*this.due);
        Poll::Pending
    }
}
