use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::call::{Call, NEVER};
use super::recording::Capture;
use crate::terms::Delivery;

/// What is known of one attempt, from where it is made to where it goes out.
///
/// Each is made anew for an attempt, so that nothing has to be taken back. A layer that stands behind
/// layers of others makes one of its own, whose `outer` is the one it found: what happens to a request
/// further in is known further out, and a limit that passed further out is known further in.
#[derive(Debug)]
pub(crate) struct AttemptState {
    /// Absent in a spare, between two calls.
    call: Option<Arc<Call>>,
    outer: Option<Arc<Self>>,
    /// The first request's, where this is a second one's.
    first: Option<Arc<Self>>,
    /// Requests that were handed to a connection and didn't come back from it, as far as clients tell.
    handed_over: AtomicU32,
    /// As many of them as belong to steps whose end is noted.
    accounted: AtomicU32,
    /// A layer of ours holds the request between two attempts: nothing is on its way.
    held: AtomicBool,
    /// The request waits in a queue of ours, or for readiness: it is not on its way.
    queued: AtomicBool,
    /// The connection that it goes over is being made: it is not on its way.
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
    /// It tries out a provider that was down.
    probing: AtomicBool,
    /// When it came to the first of our queues, in nanoseconds from the call's start.
    came: AtomicU64,
    /// When it left the last of them.
    began: AtomicU64,
    /// How long it waited for a connection, in nanoseconds; [`NEVER`] if nobody measured.
    acquired: AtomicU64,
    /// Where what is sent is kept, if a subscriber wants it.
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
            acquired: AtomicU64::new(NEVER),
            capture: Mutex::new(None),
        }
    }

    /// A second request's, beside `first`.
    pub(crate) fn beside(first: &Arc<Self>) -> Self {
        let (call, outer) = (Arc::clone(first.call()), first.outer.clone());
        Self { outer, first: Some(Arc::clone(first)), ..Self::new(call) }
    }

    pub(crate) fn call(&self) -> &Arc<Call> {
        self.call.as_ref().expect("what is in use has its call")
    }

    /// A call's first, in the room of another's that is over.
    pub(super) fn begin(mut spare: Option<Arc<Self>>, call: Call) -> Arc<Self> {
        let room = spare.as_mut().and_then(Arc::get_mut).and_then(|spare| spare.call.take());
        let call = match room {
            Some(mut room) => match Arc::get_mut(&mut room) {
                Some(place) => {
                    *place = call;
                    room
                }
                None => Arc::new(call),
            },
            None => Arc::new(call),
        };
        Self::new(call).in_room(spare)
    }

    /// Its room for another's, if nobody else has it. What others have of the call isn't kept.
    pub(super) fn into_spare(mut this: Arc<Self>) -> Option<Arc<Self>> {
        let spare = Arc::get_mut(&mut this)?;
        (spare.outer, spare.first) = (None, None);
        spare.call = spare.call.take().filter(|call| Arc::strong_count(call) == 1);
        Some(this)
    }

    fn in_room(self, spare: Option<Arc<Self>>) -> Arc<Self> {
        let Some(mut spare) = spare else { return Arc::new(self) };
        match Arc::get_mut(&mut spare) {
            Some(room) => *room = self,
            None => spare = Arc::new(self),
        }
        spare
    }

    /// One for who stands further in than `outer`, perhaps in the room of another's.
    pub(super) fn inside(spare: Option<Arc<Self>>, outer: &Arc<Self>) -> Arc<Self> {
        let (call, of) = (Arc::clone(outer.call()), Some(Arc::clone(outer)));
        Self { outer: of, ..Self::new(call) }.in_room(spare)
    }

    /// The next attempt's, in the place of this one's.
    pub(super) fn next(this: Arc<Self>) -> Arc<Self> {
        let (call, outer) = (Arc::clone(this.call()), this.outer.clone());
        let next = Self { outer, first: this.first.clone(), ..Self::new(call) };
        next.in_room(Some(this))
    }

    /// Sets what stands further out, while nobody else knows of it.
    pub(super) fn set_outer(this: &mut Arc<Self>, outer: Arc<Self>) {
        if let Some(state) = Arc::get_mut(this) {
            state.outer = Some(outer);
        }
    }

    /// Whether it is `outer`, or stands inside of it.
    pub(super) fn is_inside(&self, outer: &Self) -> bool {
        self.outward().any(|at| std::ptr::eq(at, outer))
    }

    /// This one, and those of the layers further out.
    fn outward(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |at| at.outer.as_deref())
    }

    /// The same, as far as they are of this request alone: a second one shares the rest with the first,
    /// and where it waits the other needn't.
    fn alone(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |at| match at.first {
            None => at.outer.as_deref(),
            Some(_) => None,
        })
    }

    // === what was sent ===

    /// A request is handed to a connection: the provider may get it.
    pub(crate) fn hand_over(&self) {
        self.outward().for_each(|at| {
            at.handed_over.fetch_add(1, Relaxed);
        });
    }

    /// The provider provably did not act on a request that was handed over.
    pub(crate) fn take_back(&self) {
        self.outward().for_each(|at| {
            at.handed_over.fetch_sub(1, Relaxed);
        });
    }

    /// Requests that the provider may have acted on.
    pub(crate) fn handed_over(&self) -> u32 {
        self.handed_over.load(Relaxed)
    }

    /// An attempt ended, and this is known of it.
    pub(crate) fn worsen(&self, delivery: Delivery) {
        self.call().worsen(delivery);
        self.outward().for_each(|at| at.accounted.store(at.handed_over(), Relaxed));
    }

    pub(crate) fn set_held(&self, held: bool) {
        self.outward().for_each(|at| at.held.store(held, Relaxed));
    }

    pub(crate) fn set_queued(&self, queued: bool) {
        self.alone().for_each(|at| at.queued.store(queued, Relaxed));
    }

    #[cfg(feature = "hyper")]
    pub(crate) fn set_connecting(&self, connecting: bool) {
        self.alone().for_each(|at| at.connecting.store(connecting, Relaxed));
    }

    #[cfg(feature = "hyper")]
    pub(crate) fn is_queued(&self) -> bool {
        self.queued.load(Relaxed)
    }

    /// Whether the request waits here, in a queue or between two attempts.
    pub(crate) fn is_here(&self) -> bool {
        self.held.load(Relaxed) || self.queued.load(Relaxed)
    }

    /// Whether a step of the attempt that is under way went out: what waits here is another one.
    fn is_half_done(&self) -> bool {
        self.handed_over() > self.accounted.load(Relaxed)
    }

    /// Whether nothing of the attempt has left: it waits here, or for its connection to be made.
    pub(crate) fn has_not_left(&self) -> bool {
        let waits = self.is_here() || self.connecting.load(Relaxed);
        waits && !self.is_half_done()
    }

    /// What would be true of the attempt alone, if it were cut now.
    pub(crate) fn attempt_if_cut(&self) -> Delivery {
        match self.has_not_left() && !self.call().is_doubled() {
            true => Delivery::NotSent,
            false => Delivery::Unknown,
        }
    }

    /// What would be true of the delivery if the call were cut now.
    pub(crate) fn delivery_if_cut(&self) -> Delivery {
        self.call().delivery().max(self.attempt_if_cut())
    }

    /// What is true of the delivery once the call is gone: its caller left.
    pub(crate) fn delivery_if_left(&self) -> Delivery {
        // Where nobody notes how attempts end, one may have been on its way.
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

    /// A limit passed: whoever is further in, and dropped for it, can tell it from a caller who went
    /// away.
    pub(crate) fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Relaxed);
    }

    /// The call's deadline passed.
    pub(crate) fn set_call_cut(&self, cut: bool) {
        self.call_cut.store(cut, Relaxed);
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

    /// Another request for the call was answered first: whoever is further in, and dropped for it, can
    /// tell it from a caller who went away.
    pub(crate) fn set_overtaken(&self, superseded: bool) {
        self.superseded.store(superseded, Relaxed);
    }

    pub(crate) fn is_overtaken(&self) -> bool {
        self.outward().any(|at| at.superseded.load(Relaxed))
    }

    /// Whether it is a second request's.
    pub(crate) fn is_second(&self) -> bool {
        self.outward().any(|at| at.first.is_some())
    }

    // === what others should know before they send another ===

    /// A circuit breaker or a rate limit would refuse another attempt.
    pub(crate) fn set_shut(&self, shut: bool) {
        self.alone().for_each(|at| at.shut.store(shut, Relaxed));
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Relaxed)
    }

    /// The service at the bottom failed to become ready, and must not be asked again.
    pub(crate) fn set_unready(&self) {
        self.outward().for_each(|at| at.unready.store(true, Relaxed));
    }

    pub(crate) fn is_unready(&self) -> bool {
        self.unready.load(Relaxed)
    }

    /// The attempt tries out a provider that was down: nobody should send another beside it.
    pub(crate) fn set_probing(&self, probing: bool) {
        self.alone().for_each(|at| at.probing.store(probing, Relaxed));
    }

    pub(crate) fn is_probing(&self) -> bool {
        self.probing.load(Relaxed)
    }

    // === times ===

    /// When the attempt began, to the precision of whoever held it back last.
    pub(crate) fn attempt_began(&self) -> Instant {
        self.call().started + Duration::from_nanos(self.began.load(Relaxed))
    }

    /// Another attempt begins: what it waits for from here on is the wait of this attempt.
    pub(crate) fn begin_attempt(&self, at: Instant) {
        // One before it may have been dropped while it waited.
        self.queued.store(false, Relaxed);
        self.connecting.store(false, Relaxed);
        let at = self.call().nanos(at);
        self.came.store(at, Relaxed);
        self.began.store(at, Relaxed);
    }

    /// The request was held back until `at`.
    pub(crate) fn set_attempt_began(&self, at: Instant) {
        let at = self.call().nanos(at);
        self.alone().for_each(|state| state.began.store(at, Relaxed));
    }

    /// Whether the call's time ran out and queues in here had the attempt for longer than the provider:
    /// that says nothing of the provider.
    pub(crate) fn ran_out_here(&self, now: Instant) -> bool {
        let came = self.call().started + Duration::from_nanos(self.came.load(Relaxed));
        let began = self.attempt_began();
        let queued = began.saturating_duration_since(came);
        self.call().deadline().is_some_and(|deadline| now >= deadline)
            && now.saturating_duration_since(began) < queued
    }

    // === what observers record ===

    /// How long the attempt waited for a connection, where that was measured.
    pub(crate) fn acquired(&self) -> Option<Duration> {
        match self.acquired.load(Relaxed) {
            NEVER => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    pub(crate) fn set_acquired(&self, waited: Option<Duration>) {
        let nanos =
            waited.map_or(NEVER, |waited| u64::try_from(waited.as_nanos()).unwrap_or(NEVER));
        self.alone().for_each(|at| at.acquired.store(nanos, Relaxed));
    }

    /// Where what the attempt sends is kept, if a subscriber wants it.
    pub(crate) fn capture(&self) -> Option<Arc<Capture>> {
        self.outward()
            .find_map(|at| at.capture.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(crate) fn set_capture(&self, capture: Option<Arc<Capture>>) {
        *self.capture.lock().unwrap_or_else(PoisonError::into_inner) = capture;
    }
}
