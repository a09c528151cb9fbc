use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::call::Call;
use super::moment::Moment;
use super::recording::Capture;
use crate::terms::Delivery;

/// The state of one attempt, from its beginning until it is sent.
///
/// Each attempt has a new one, so that no field has to be reset. A layer inside layers of other
/// crates makes its own, whose `outer` is the one that it found on the request: outer layers learn
/// through it what happens to the request, and inner layers that an outer limit has passed.
#[derive(Debug)]
pub(crate) struct AttemptState {
    /// Absent between two calls, while the memory is kept for the next one.
    call: Option<Arc<Call>>,
    outer: Option<Arc<Self>>,
    /// For a second request: the first request's state.
    first: Option<Arc<Self>>,
    /// Requests that were handed to a connection and not returned unsent, as far as clients report
    /// it.
    handed_over: AtomicU32,
    /// How many of these belong to steps whose results are recorded.
    accounted: AtomicU32,
    /// One of our layers holds the request between two attempts: nothing is being sent.
    held: AtomicBool,
    /// The request waits in one of our queues, or for readiness: it isn't being sent.
    queued: AtomicBool,
    /// Its connection is being made: it isn't being sent.
    connecting: AtomicBool,
    /// A limit of the attempt passed.
    cut: AtomicBool,
    /// The call's deadline passed.
    call_cut: AtomicBool,
    /// Another request for the call was answered first.
    superseded: AtomicBool,
    /// A circuit breaker or a rate limit further in would refuse another attempt.
    shut: AtomicBool,
    /// The service at the bottom failed to become ready.
    unready: AtomicBool,
    /// It is a probe of a provider that was down.
    probing: AtomicBool,
    /// When it reached the first of our queues, a [`Moment`].
    came: AtomicU64,
    /// When it left the last queue, a [`Moment`].
    began: AtomicU64,
    /// How long it waited for a connection, in nanoseconds; [`UNMEASURED`] if nobody measured.
    acquired: AtomicU64,
    /// Records what is sent, if a subscriber wants it.
    capture: Mutex<Option<Arc<Capture>>>,
}

impl AttemptState {
    pub(crate) fn new(call: Arc<Call>) -> Self {
        Self {
            call: Some(call),
            outer: None,
            first: None,
            handed_over: AtomicU32::new(0),
            accounted: AtomicU32::new(0),
            held: AtomicBool::new(false),
            queued: AtomicBool::new(false),
            connecting: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            call_cut: AtomicBool::new(false),
            superseded: AtomicBool::new(false),
            shut: AtomicBool::new(false),
            unready: AtomicBool::new(false),
            probing: AtomicBool::new(false),
            came: AtomicU64::new(0),
            began: AtomicU64::new(0),
            acquired: AtomicU64::new(UNMEASURED),
            capture: Mutex::new(None),
        }
    }

    /// The state of a second request, beside `first`.
    pub(crate) fn beside(first: &Arc<Self>) -> Self {
        let (call, outer) = (Arc::clone(first.call()), first.outer.clone());
        Self { outer, first: Some(Arc::clone(first)), ..Self::new(call) }
    }

    pub(crate) fn call(&self) -> &Arc<Call> {
        self.call.as_ref().expect("an attempt in use has its call")
    }

    /// The state of a call's first attempt, in the memory of an ended call. Inlined, because each call is written
    /// to its place by it.
    #[inline(always)]
    pub(super) fn begin(mut spare: Option<Arc<Self>>, call: Call) -> Arc<Self> {
        let memory = spare.as_mut().and_then(Arc::get_mut).and_then(|spare| spare.call.take());
        let call = match memory {
            Some(mut memory) => match Arc::get_mut(&mut memory) {
                Some(place) => {
                    *place = call;
                    memory
                }
                None => Arc::new(call),
            },
            None => Arc::new(call),
        };
        Self::new(call).in_memory_of(spare)
    }

    /// Its memory for another attempt, if nobody else uses it.
    pub(super) fn into_spare(mut this: Arc<Self>) -> Option<Arc<Self>> {
        let spare = Arc::get_mut(&mut this)?;
        (spare.outer, spare.first) = (None, None);
        spare.set_capture(None);
        spare.call = spare.call.take().filter(|call| Arc::strong_count(call) == 1);
        Some(this)
    }

    fn in_memory_of(self, spare: Option<Arc<Self>>) -> Arc<Self> {
        let Some(mut spare) = spare else { return Arc::new(self) };
        match Arc::get_mut(&mut spare) {
            Some(memory) => *memory = self,
            None => spare = Arc::new(self),
        }
        spare
    }

    /// The state for layers inside of `outer`, if possible in the memory of an ended call.
    pub(super) fn inside(spare: Option<Arc<Self>>, outer: &Arc<Self>) -> Arc<Self> {
        let (call, of) = (Arc::clone(outer.call()), Some(Arc::clone(outer)));
        Self { outer: of, ..Self::new(call) }.in_memory_of(spare)
    }

    /// The next attempt's state, in this one's memory.
    pub(super) fn next(this: Arc<Self>) -> Arc<Self> {
        let (call, outer) = (Arc::clone(this.call()), this.outer.clone());
        let next = Self { outer, ..Self::new(call) };
        next.in_memory_of(Some(this))
    }

    /// Sets the outer state, while nobody else shares this one.
    pub(super) fn set_outer(this: &mut Arc<Self>, outer: Arc<Self>) {
        if let Some(state) = Arc::get_mut(this) {
            state.outer = Some(outer);
        }
    }

    /// Whether it is `outer`, or inside of it.
    pub(super) fn is_inside(&self, outer: &Self) -> bool {
        self.outward().any(|at| std::ptr::eq(at, outer))
    }

    /// This state, and those of the outer layers.
    fn outward(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |at| at.outer.as_deref())
    }

    /// Whether another call's attempt caused its call.
    pub(super) fn is_nested(&self) -> bool {
        self.outward().any(|at| !Arc::ptr_eq(at.call(), self.call()))
    }

    /// The same, as far as they are of this call. Another call's attempt, which this call was made for,
    /// has its own times and waits: of it only what went out is counted.
    fn of_call(&self) -> impl Iterator<Item = &Self> {
        self.outward().take_while(|at| Arc::ptr_eq(at.call(), self.call()))
    }

    /// The same, as far as they are of this request alone: a second one shares the rest with the first,
    /// and where it waits the other needn't.
    fn alone(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |at| match at.first {
            None => at.outer.as_deref(),
            Some(_) => None,
        })
        .take_while(|at| Arc::ptr_eq(at.call(), self.call()))
    }

    // === what was sent ===

    /// A request is handed to a connection: the provider may receive it.
    pub(crate) fn hand_over(&self) {
        self.outward().for_each(|at| {
            at.handed_over.fetch_add(1, Relaxed);
        });
    }

    /// The provider provably didn't act on a request that was handed over.
    pub(crate) fn take_back(&self) {
        self.outward().for_each(|at| {
            at.handed_over.fetch_sub(1, Relaxed);
        });
    }

    /// Requests that the provider may have acted on.
    pub(crate) fn handed_over(&self) -> u32 {
        self.handed_over.load(Relaxed)
    }

    /// An attempt ended with this delivery.
    pub(crate) fn merge_delivery(&self, delivery: Delivery) {
        self.call().merge_delivery(delivery);
        self.of_call().for_each(|at| at.accounted.store(at.handed_over(), Relaxed));
    }

    /// One of our layers holds the request between two attempts.
    pub(crate) fn hold(&self) {
        self.of_call().for_each(|at| at.held.store(true, Relaxed));
    }

    /// The next attempt begins.
    pub(crate) fn end_hold(&self) {
        self.of_call().for_each(|at| at.held.store(false, Relaxed));
    }

    /// The request waits in one of our queues, or for readiness.
    pub(crate) fn enter_queue(&self) {
        self.alone().for_each(|at| at.queued.store(true, Relaxed));
    }

    /// The request waits no longer.
    pub(crate) fn leave_queue(&self) {
        self.alone().for_each(|at| at.queued.store(false, Relaxed));
    }

    /// The connection that the request goes over is being made.
    #[cfg(any(feature = "hyper", feature = "test-util"))]
    pub(crate) fn begin_connecting(&self) {
        self.alone().for_each(|at| at.connecting.store(true, Relaxed));
    }

    /// There is a connection.
    #[cfg(any(feature = "hyper", feature = "test-util"))]
    pub(crate) fn end_connecting(&self) {
        self.alone().for_each(|at| at.connecting.store(false, Relaxed));
    }

    #[cfg(feature = "hyper")]
    pub(crate) fn is_queued(&self) -> bool {
        self.queued.load(Relaxed)
    }

    /// Whether the request waits here, in a queue or between two attempts.
    pub(crate) fn is_waiting(&self) -> bool {
        self.held.load(Relaxed) || self.queued.load(Relaxed)
    }

    /// Whether an earlier step of the running attempt was sent, so that a later one waits.
    fn is_half_done(&self) -> bool {
        self.handed_over() > self.accounted.load(Relaxed)
    }

    /// Whether nothing of the attempt was sent: it waits here, or for its connection.
    pub(crate) fn has_not_left(&self) -> bool {
        let waits = self.is_waiting() || self.connecting.load(Relaxed);
        waits && !self.is_half_done()
    }

    /// The delivery of this attempt alone, if it were cut now.
    pub(crate) fn attempt_if_cut(&self) -> Delivery {
        match self.has_not_left() && !self.call().is_doubled() {
            // A retry further in has ended its last attempt, and waits for the next.
            true if self.held.load(Relaxed) => self.call().delivery(),
            true => Delivery::NotSent,
            false => Delivery::Unknown,
        }
    }

    /// The delivery of the call, if it were cut now.
    pub(crate) fn delivery_if_cut(&self) -> Delivery {
        self.call().delivery().max(self.attempt_if_cut())
    }

    /// The delivery to report when the caller dropped the call.
    pub(crate) fn delivery_if_left(&self) -> Delivery {
        // If no layer records how attempts end, one may have been on its way.
        let is_known = self.call().is_noted() || self.attempts() == Some(0);
        if is_known { self.call().delivery() } else { self.delivery_if_cut() }
    }

    /// Whether it waits in a queue of ours, and nothing of it went out: it is no attempt yet.
    pub(crate) fn is_queued_whole(&self) -> bool {
        self.queued.load(Relaxed) && !self.is_half_done()
    }

    /// Requests sent so far, where a retry layer counts them.
    pub(crate) fn attempts(&self) -> Option<u32> {
        let queued = self.is_queued_whole();
        match (self.call().attempts(), self.call().hedges()) {
            (None, 0) => queued.then_some(0),
            (None, hedges) => Some(1 - u32::from(queued) + hedges),
            (Some(attempts), hedges) => Some(attempts.saturating_sub(u32::from(queued)) + hedges),
        }
    }

    // === why it ended ===

    /// A limit passed. Inner layers are dropped for it, and must tell this from a caller who
    /// left.
    pub(crate) fn mark_cut(&self) {
        self.cut.store(true, Relaxed);
    }

    /// The call's deadline passed.
    pub(crate) fn mark_call_cut(&self) {
        self.call_cut.store(true, Relaxed);
    }

    /// A fallback answers after the deadline, so its answer isn't cut.
    pub(crate) fn clear_call_cut(&self) {
        self.call_cut.store(false, Relaxed);
    }

    /// Whether a limit ended the attempt, or the call.
    pub(crate) fn is_cut(&self) -> bool {
        self.outward().any(|at| at.cut.load(Relaxed)) || self.is_call_cut()
    }

    /// Whether its deadline ended the call, which a second request has in common with the first.
    pub(crate) fn is_call_cut(&self) -> bool {
        let of_first = |at: &Self| at.first.as_ref().is_some_and(|first| first.is_call_cut());
        self.outward().any(|at| at.call_cut.load(Relaxed) || of_first(at))
    }

    /// Another request for the call was answered first. Inner layers are dropped for it, and
    /// must tell this from a caller who left.
    pub(crate) fn supersede(&self) {
        self.superseded.store(true, Relaxed);
    }

    pub(crate) fn is_superseded(&self) -> bool {
        self.outward().any(|at| at.superseded.load(Relaxed))
    }

    /// Whether it is the state of a second request.
    pub(crate) fn is_second(&self) -> bool {
        self.of_call().any(|at| at.first.is_some())
    }

    // === what layers check before they send another attempt ===

    /// A circuit breaker or a rate limit would refuse another attempt.
    pub(crate) fn mark_shut(&self) {
        self.alone().for_each(|at| at.shut.store(true, Relaxed));
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Relaxed)
    }

    /// The innermost service's `poll_ready` failed, so that it must not be used again.
    pub(crate) fn set_unready(&self) {
        self.of_call().for_each(|at| at.unready.store(true, Relaxed));
    }

    pub(crate) fn is_unready(&self) -> bool {
        self.unready.load(Relaxed)
    }

    /// The attempt is a probe of a provider that was down: no layer should send another beside it.
    pub(crate) fn begin_probe(&self) {
        self.alone().for_each(|at| at.probing.store(true, Relaxed));
    }

    /// The attempt is an ordinary one, although the last one of this call was a probe.
    pub(crate) fn end_probe(&self) {
        self.alone().for_each(|at| at.probing.store(false, Relaxed));
    }

    pub(crate) fn is_probing(&self) -> bool {
        self.probing.load(Relaxed)
    }

    // === times ===

    /// When the attempt began, as the last layer that held it back has set it.
    pub(crate) fn attempt_began(&self) -> Instant {
        Moment(self.began.load(Relaxed)).instant(self.call().started)
    }

    /// Another attempt begins. Waits from here on belong to it.
    pub(crate) fn begin_attempt(&self, at: Instant) {
        // The attempt before may have been dropped while it waited.
        self.queued.store(false, Relaxed);
        self.connecting.store(false, Relaxed);
        let Moment(at) = self.call().moment(at);
        self.came.store(at, Relaxed);
        self.began.store(at, Relaxed);
    }

    /// The request was held back until `at`.
    pub(crate) fn set_attempt_began(&self, at: Instant) {
        self.set_attempt_began_at(self.call().moment(at));
    }

    pub(crate) fn set_attempt_began_at(&self, Moment(at): Moment) {
        self.alone().for_each(|state| state.began.store(at, Relaxed));
    }

    /// Whether the deadline passed and the attempt waited in our queues for longer than for the
    /// provider. Then the timeout says nothing about the provider.
    pub(crate) fn ran_out_here(&self, now: Instant) -> bool {
        let came = Moment(self.came.load(Relaxed)).instant(self.call().started);
        let began = self.attempt_began();
        let queued = began.saturating_duration_since(came);
        self.call().deadline().is_some_and(|deadline| now >= deadline)
            && now.saturating_duration_since(began) < queued
    }

    // === what observers record ===

    /// How long the attempt waited for a connection, where that was measured.
    pub(crate) fn acquired(&self) -> Option<Duration> {
        match self.acquired.load(Relaxed) {
            UNMEASURED => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    #[cfg(feature = "hyper")]
    pub(crate) fn set_acquired(&self, waited: Option<Duration>) {
        let nanos = waited
            .map_or(UNMEASURED, |waited| u64::try_from(waited.as_nanos()).unwrap_or(UNMEASURED));
        self.alone().for_each(|at| at.acquired.store(nanos, Relaxed));
    }

    /// The recording of what the attempt sends, if a subscriber wants it.
    pub(crate) fn capture(&self) -> Option<Arc<Capture>> {
        self.of_call()
            .find_map(|at| at.capture.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(crate) fn set_capture(&self, capture: Option<Arc<Capture>>) {
        *self.capture.lock().unwrap_or_else(PoisonError::into_inner) = capture;
    }
}

const UNMEASURED: u64 = u64::MAX;
