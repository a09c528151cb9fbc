use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::line::Line;
use super::terms::{BudgetTerms, TOKEN};
use crate::rt;
use crate::rt::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::rt::sync::{Mutex, MutexGuard};

/// The tokens of a budget, and the queue of calls that wait for one.
#[derive(Debug)]
pub(super) struct Bucket {
    /// How much each call adds, in millionths of a token.
    deposit: AtomicU32,
    /// Tokens in millionths. The surplus over the cap is removed when a token is taken.
    earned: AtomicU64,
    /// Whether running calls are counted, and their number.
    counts: AtomicBool,
    calls: AtomicU32,
    /// The length of the queue, so that a call that begins learns without the lock that it is
    /// empty.
    waiting: AtomicUsize,
    epoch: Instant,
    /// The terms that it was made with; the present ones may be others.
    pub(super) made: BudgetTerms,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    terms: BudgetTerms,
    /// When each token of the floor can be used again, counted from the epoch.
    reserve: Vec<Duration>,
    /// Running retries, if they are counted.
    retries: u32,
    line: Line,
}

/// A running call, if they are counted.
#[derive(Debug, Default)]
#[must_use = "the call is over when this is dropped"]
pub(crate) struct CallUnderWay(Option<Arc<Bucket>>);

/// A retry that the budget allows. If running retries are counted, it counts until this is dropped.
#[derive(Debug, Default)]
#[must_use = "the retry is over when this is dropped"]
pub(crate) struct RetryPermit(Option<Arc<Bucket>>);

/// A place in the queue for a retry. Dropping it leaves the queue.
#[derive(Debug)]
pub(crate) struct Place {
    bucket: Option<Arc<Bucket>>,
    place: Option<u64>,
}

// === impl Bucket ===

impl Bucket {
    pub(super) fn new(terms: BudgetTerms) -> Self {
        let reserve = vec![Duration::ZERO; terms.places()];
        let state = State { terms, reserve, retries: 0, line: Line::default() };
        Self {
            deposit: AtomicU32::new(terms.deposit().unwrap_or(0)),
            earned: AtomicU64::new(terms.cap()),
            counts: AtomicBool::new(terms.deposit().is_none()),
            calls: AtomicU32::new(0),
            waiting: AtomicUsize::new(0),
            epoch: rt::now(),
            made: terms,
            state: Mutex::new(state),
        }
    }

    pub(super) fn terms(&self) -> BudgetTerms {
        self.state().terms
    }

    pub(super) fn reconfigure(&self, terms: BudgetTerms) {
        let mut state = self.state();
        state.terms = terms;
        state.reserve.resize(terms.places(), Duration::ZERO);
        self.deposit.store(terms.deposit().unwrap_or(0), Ordering::Relaxed);
        self.counts.store(terms.deposit().is_none(), Ordering::Relaxed);
        drop(state);
        self.wake_first();
    }

    /// How many retries are possible now, without the floor.
    pub(super) fn saved(&self) -> u32 {
        let state = self.state();
        match state.terms {
            BudgetTerms::Calls(_) => {
                let earned = self.earned.load(Ordering::Relaxed).min(state.terms.cap());
                u32::try_from(earned / TOKEN).unwrap_or(u32::MAX)
            }
            BudgetTerms::UnderWay(terms) => {
                terms.allowed(self.calls.load(Ordering::Relaxed)).saturating_sub(state.retries)
            }
        }
    }

    pub(super) fn begin_call(self: &Arc<Self>) -> CallUnderWay {
        let counted = self.counts.load(Ordering::Relaxed);
        // A retry joins the queue before it looks for tokens, so that one of the two sees the
        // other.
        let grown = if counted {
            self.calls.fetch_add(1, Ordering::SeqCst);
            true
        } else {
            let ratio = u64::from(self.deposit.load(Ordering::Relaxed));
            self.earned.fetch_add(ratio, Ordering::SeqCst) + ratio >= TOKEN
        };
        if grown && self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake_first();
        }
        CallUnderWay(counted.then(|| Arc::clone(self)))
    }

    pub(super) fn withdraw(self: &Arc<Self>, now: Instant) -> Option<RetryPermit> {
        let mut state = self.state();
        if state.line.len() > 0 {
            return None;
        }
        self.take(&mut state, now)
    }

    /// Takes a retry, if there is one.
    fn take(self: &Arc<Self>, state: &mut State, now: Instant) -> Option<RetryPermit> {
        let terms = match state.terms {
            BudgetTerms::Calls(terms) => terms,
            BudgetTerms::UnderWay(terms) => {
                let allowed = terms.allowed(self.calls.load(Ordering::SeqCst));
                return (state.retries < allowed).then(|| {
                    state.retries += 1;
                    RetryPermit(Some(Arc::clone(self)))
                });
            }
        };
        let cap = state.terms.cap();
        let take = |earned: u64| earned.min(cap).checked_sub(TOKEN);
        if self.earned.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
            return Some(RetryPermit::default());
        }
        let now = now.saturating_duration_since(self.epoch);
        let again = now.saturating_add(terms.floor_period);
        let free = state.reserve.iter_mut().find(|free_at| **free_at <= now)?;
        *free = again;
        Some(RetryPermit::default())
    }

    fn wake_first(&self) {
        let first = self.state().line.first();
        if let Some(first) = first {
            first.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl CallUnderWay ===

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        if let Some(bucket) = &self.0 {
            bucket.calls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

// === impl RetryPermit ===

impl Drop for RetryPermit {
    fn drop(&mut self) {
        if let Some(bucket) = &self.0 {
            let mut state = bucket.state();
            state.retries = state.retries.saturating_sub(1);
            drop(state);
            bucket.wake_first();
        }
    }
}

// === impl Place ===

impl Place {
    pub(super) fn of(bucket: Option<&Arc<Bucket>>) -> Self {
        Self { bucket: bucket.map(Arc::clone), place: None }
    }

    /// Joins the queue, and takes a retry if it is the first and there is one. If not, `waker` is
    /// woken when it should ask again; it should also ask at the returned time, if any.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        waker: &Waker,
    ) -> Result<RetryPermit, Option<Instant>> {
        let Some(bucket) = &self.bucket else { return Ok(RetryPermit::default()) };
        let mut state = bucket.state();
        let place = *self.place.get_or_insert_with(|| state.line.join());
        state.line.wait(place, waker);
        bucket.waiting.store(state.line.len(), Ordering::SeqCst);
        if !state.line.is_first(place) {
            return Err(None);
        }
        match bucket.take(&mut state, now) {
            None => {
                Err(state.reserve.iter().min().map(|free_at| rt::after(bucket.epoch, *free_at)))
            }
            Some(pass) => {
                drop(state);
                self.leave();
                Ok(pass)
            }
        }
    }

    /// Leaves the queue, and wakes the one that is first then.
    fn leave(&mut self) {
        let (Some(bucket), Some(place)) = (&self.bucket, self.place.take()) else { return };
        let mut state = bucket.state();
        state.line.leave(place);
        bucket.waiting.store(state.line.len(), Ordering::SeqCst);
        drop(state);
        bucket.wake_first();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
