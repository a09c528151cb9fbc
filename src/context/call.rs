use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode};

use super::early::Early;
use super::extension::ContextPool;
use super::gate::{Gate, Gates};
use super::ids::{CallId, CorrelationId, KeyFact};
use super::target::CallTarget;
use super::trace::TraceContext;
use crate::context::Capture;
use crate::terms::{Delivery, SwitchMode};

/// What all attempts of a call share, written from whichever layer finds it out.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) started: Instant,
    pub(crate) integration: Option<Arc<str>>,
    pub(crate) id_header: OnceLock<HeaderValue>,
    pub(crate) correlation: Early<CorrelationId>,
    /// The trace that it belongs to.
    pub(crate) trace: OnceLock<TraceContext>,
    /// The correlation id is the call's own id.
    pub(crate) own_id: bool,
    pub(crate) key: OnceLock<KeyFact>,
    /// Nanoseconds from the start; [`NEVER`] without one.
    deadline: AtomicU64,
    /// Attempts begun so far, where a retry layer counts them; [`UNCOUNTED`] without one.
    attempts: AtomicU32,
    last_status: AtomicU16,
    /// The worst delivery of the attempts that have ended.
    delivery: AtomicU8,
    /// Requests that were handed to a connection and didn't come back from it, as far as clients
    /// tell.
    handed_over: AtomicU32,
    /// As many of them as belong to attempts whose end is noted.
    accounted: AtomicU32,
    /// Somebody notes of every attempt how it ends.
    noted: AtomicBool,
    /// A fallback gave the answer.
    fell_back: AtomicBool,
    /// A layer of ours holds the request between two attempts: nothing is on its way.
    held: AtomicBool,
    /// The attempt waits in a queue of ours, or for readiness: it is not on its way.
    queued: AtomicBool,
    /// The connection that the attempt goes over is being made: it is not on its way.
    connecting: AtomicBool,
    /// The attempt that is under way was cut by a limit.
    cut: AtomicBool,
    /// A circuit breaker or a rate limit further in would refuse another attempt.
    shut: AtomicBool,
    /// The attempt that is under way tries out a provider that was down.
    probing: AtomicBool,
    /// Another request for the call was answered first: this one is dropped for it.
    overtaken: AtomicBool,
    /// A second request for the call is under way.
    doubled: AtomicBool,
    /// How long a retry layer waited between attempts, in nanoseconds.
    waited: AtomicU64,
    /// Second requests that went out so far.
    hedges: AtomicU32,
    /// How many armed timers end no later than the deadline.
    timers: AtomicU32,
    /// When the attempt came to the first of our queues, if not with the call.
    attempt_came: AtomicU64,
    /// When the attempt began, if not with the call.
    attempt_began: AtomicU64,
    gates: Gates,
    /// The first request's, where this is a second one's: the call is the first's.
    first: Option<Arc<Self>>,
    /// Where somebody listens.
    pub(crate) target: OnceLock<CallTarget>,
    /// How long the attempt waited for a connection, in nanoseconds; [`NEVER`] if nobody measured.
    acquired: AtomicU64,
    /// Where what is sent is kept, if a subscriber wants it.
    capture: Mutex<Option<Arc<Capture>>>,
    /// Where the room goes when the call is over.
    pub(crate) home: Option<ContextPool>,
}

impl Call {
    pub(crate) fn new(
        id: CallId,
        started: Instant,
        integration: Option<Arc<str>>,
        correlation: Option<CorrelationId>,
    ) -> Self {
        Self {
            id,
            started,
            integration,
            id_header: OnceLock::new(),
            own_id: false,
            correlation: Early::new(correlation),
            trace: OnceLock::new(),
            key: OnceLock::new(),
            deadline: AtomicU64::new(NEVER),
            attempts: AtomicU32::new(UNCOUNTED),
            last_status: AtomicU16::new(0),
            delivery: AtomicU8::new(0),
            handed_over: AtomicU32::new(0),
            accounted: AtomicU32::new(0),
            noted: AtomicBool::new(false),
            fell_back: AtomicBool::new(false),
            held: AtomicBool::new(false),
            queued: AtomicBool::new(false),
            connecting: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            shut: AtomicBool::new(false),
            probing: AtomicBool::new(false),
            overtaken: AtomicBool::new(false),
            doubled: AtomicBool::new(false),
            waited: AtomicU64::new(0),
            hedges: AtomicU32::new(0),
            timers: AtomicU32::new(0),
            attempt_came: AtomicU64::new(0),
            attempt_began: AtomicU64::new(0),
            gates: Gates::default(),
            first: None,
            target: OnceLock::new(),
            acquired: AtomicU64::new(NEVER),
            capture: Mutex::new(None),
            home: None,
        }
    }

    /// The same call for a second request, with what happens to that request kept apart.
    pub(crate) fn fork(self: &Arc<Self>) -> Self {
        let mut fork = Self::new(
            self.id,
            self.started,
            self.integration.clone(),
            self.correlation.get().cloned(),
        );
        (fork.own_id, fork.key, fork.id_header) =
            (self.own_id, self.key.clone(), self.id_header.clone());
        fork.gates.clone_from(&self.gates);
        fork.first = Some(Arc::clone(self));
        fork.trace.clone_from(&self.trace);
        fork.target.clone_from(&self.target);
        fork.deadline = AtomicU64::new(self.deadline.load(Ordering::Relaxed));
        fork
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.deadline.load(Ordering::Relaxed) {
            NEVER => None,
            nanos => Some(self.started + Duration::from_nanos(nanos)),
        }
    }

    /// The sooner deadline wins.
    pub(crate) fn end_by(&self, deadline: Instant) {
        self.deadline.fetch_min(self.nanos(deadline), Ordering::Relaxed);
    }

    pub(crate) fn attempts(&self) -> Option<u32> {
        let queued = self.queued.load(Ordering::Relaxed) && !self.is_half_done();
        match (self.attempts.load(Ordering::Relaxed), self.hedges()) {
            (UNCOUNTED, 0) => queued.then_some(0),
            (UNCOUNTED, hedges) => Some(1 - u32::from(queued) + hedges),
            (attempts, hedges) => Some(attempts.saturating_sub(u32::from(queued)) + hedges),
        }
    }

    pub(crate) fn count_attempts(&self, sent: u32) {
        self.attempts.store(sent, Ordering::Relaxed);
    }

    /// Nothing goes out for it, and nobody further in will count.
    pub(crate) fn count_none(&self) {
        let (uncounted, none) = (UNCOUNTED, 0);
        let relaxed = Ordering::Relaxed;
        // Where an attempt went out before, it stays counted.
        let _ = self.attempts.compare_exchange(uncounted, none, relaxed, relaxed);
    }

    pub(crate) fn last_status(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.last_status.load(Ordering::Relaxed)).ok()
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        self.last_status.store(status.as_u16(), Ordering::Relaxed);
    }

    /// The worst delivery of the attempts that have ended.
    pub(crate) fn delivery(&self) -> Delivery {
        match self.delivery.load(Ordering::Relaxed) {
            0 => Delivery::NotSent,
            1 => Delivery::Answered,
            _ => Delivery::Unknown,
        }
    }

    /// What is true of the delivery where an answer came last: one attempt before it may have been lost.
    pub(crate) fn delivery_of_answer(&self) -> Delivery {
        self.delivery().max(Delivery::Answered)
    }

    /// An attempt ended, and this is known of it.
    pub(crate) fn worsen(&self, delivery: Delivery) {
        self.worsen_beside(delivery);
        self.accounted.store(self.handed_over(), Ordering::Relaxed);
    }

    /// A request ended that went beside the attempt, which goes on.
    pub(crate) fn worsen_beside(&self, delivery: Delivery) {
        self.delivery.fetch_max(delivery as u8, Ordering::Relaxed);
    }

    /// A request is handed to a connection: the provider may get it.
    pub(crate) fn hand_over(&self) {
        self.handed_over.fetch_add(1, Ordering::Relaxed);
    }

    /// The provider provably did not act on a request that was handed over.
    pub(crate) fn take_back(&self) {
        self.handed_over.fetch_sub(1, Ordering::Relaxed);
    }

    /// Requests that the provider may have acted on.
    pub(super) fn handed_over(&self) -> u32 {
        self.handed_over.load(Ordering::Relaxed)
    }

    /// Every attempt's end will be noted by [`worsen`](Self::worsen).
    pub(crate) fn set_noted(&self) {
        self.noted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// A fallback answered in the place of an attempt that came to this.
    pub(crate) fn set_fell_back(&self, delivery: Delivery) {
        self.worsen(delivery);
        self.fell_back.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_fallen_back(&self) -> bool {
        self.fell_back.load(Ordering::Relaxed)
    }

    pub(crate) fn set_held(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    pub(crate) fn set_queued(&self, queued: bool) {
        self.queued.store(queued, Ordering::Relaxed);
    }

    #[cfg(feature = "hyper")]
    pub(crate) fn set_connecting(&self, connecting: bool) {
        self.connecting.store(connecting, Ordering::Relaxed);
    }

    #[cfg(feature = "hyper")]
    pub(crate) fn is_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed)
    }

    /// A limit passed: whoever is further in, and dropped for it, can tell it from a caller who
    /// went away.
    pub(crate) fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    /// A circuit breaker or a rate limit would refuse another attempt.
    pub(crate) fn set_shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::Relaxed);
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    /// Lets the call be stopped as long as it waits.
    pub(crate) fn add_gate(&self, gate: Arc<dyn Gate>) {
        self.gates.add(gate);
    }

    /// Whether the call may have another attempt, or a second request beside the first.
    pub(crate) fn may_repeat(&self) -> bool {
        self.gates.iter().all(|gate| gate.mode() == SwitchMode::On)
    }

    /// Who can still stop the call.
    pub(super) fn gates(&self) -> impl Iterator<Item = &Arc<dyn Gate>> {
        self.gates.iter()
    }

    /// The attempt tries out a provider that was down: nobody should send another beside it.
    pub(crate) fn set_probing(&self, probing: bool) {
        self.probing.store(probing, Ordering::Relaxed);
    }

    pub(crate) fn is_probing(&self) -> bool {
        self.probing.load(Ordering::Relaxed)
    }

    /// Another request for the call was answered first: whoever is further in, and dropped for it,
    /// can tell it from a caller who went away.
    pub(crate) fn set_overtaken(&self, overtaken: bool) {
        self.overtaken.store(overtaken, Ordering::Relaxed);
    }

    pub(crate) fn is_overtaken(&self) -> bool {
        self.overtaken.load(Ordering::Relaxed)
    }

    /// How long was waited between attempts, told when the last was over.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    pub(crate) fn set_waited(&self, waited: Duration) {
        let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.waited.store(nanos, Ordering::Relaxed);
    }

    /// A second request goes out beside the first.
    pub(crate) fn begin_hedge(&self) {
        self.doubled.store(true, Ordering::Relaxed);
        self.hedges.fetch_add(1, Ordering::Relaxed);
    }

    /// It was refused here: nothing went out.
    pub(crate) fn uncount_hedge(&self) {
        self.hedges.fetch_sub(1, Ordering::Relaxed);
    }

    /// It is over, one way or another.
    pub(crate) fn end_hedge(&self) {
        self.doubled.store(false, Ordering::Relaxed);
    }

    pub(crate) fn hedges(&self) -> u32 {
        self.hedges.load(Ordering::Relaxed)
    }

    /// Whether the request waits here, in a queue or between two attempts.
    pub(crate) fn is_here(&self) -> bool {
        self.held.load(Ordering::Relaxed) || self.queued.load(Ordering::Relaxed)
    }

    /// Whether a step of the attempt that is under way went out: what waits here is another one.
    fn is_half_done(&self) -> bool {
        self.handed_over() > self.accounted.load(Ordering::Relaxed)
    }

    /// Whether nothing of the attempt has left: it waits here, or for its connection to be made.
    pub(crate) fn has_not_left(&self) -> bool {
        let waits = self.is_here() || self.connecting.load(Ordering::Relaxed);
        waits && !self.is_half_done()
    }

    /// What would be true of the attempt alone, if it were cut now.
    pub(crate) fn attempt_if_cut(&self) -> Delivery {
        match self.has_not_left() && !self.doubled.load(Ordering::Relaxed) {
            true => Delivery::NotSent,
            false => Delivery::Unknown,
        }
    }

    /// Whether it is a second request's.
    pub(crate) fn is_second(&self) -> bool {
        self.first.is_some()
    }

    /// What cuts the call, which is the first request's, cuts a second one too.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed) || self.first.as_ref().is_some_and(|first| first.is_cut())
    }

    /// What would be true of the delivery if the call were cut now.
    pub(crate) fn delivery_if_cut(&self) -> Delivery {
        self.delivery().max(self.attempt_if_cut())
    }

    /// What is true of the delivery once the call is gone: its caller left.
    pub(crate) fn delivery_if_left(&self) -> Delivery {
        // Where nobody notes how attempts end, one may have been on its way.
        let is_known = self.is_noted() || self.attempts() == Some(0);
        if is_known { self.delivery() } else { self.delivery_if_cut() }
    }

    /// When the attempt that is under way began, to the precision of whoever held it back last.
    pub(crate) fn attempt_began(&self) -> Instant {
        self.started + Duration::from_nanos(self.attempt_began.load(Ordering::Relaxed))
    }

    /// Another attempt begins: what it waits for from here on is the wait of this attempt.
    pub(crate) fn begin_attempt(&self, at: Instant) {
        // One before it may have been dropped while it waited.
        self.set_queued(false);
        self.connecting.store(false, Ordering::Relaxed);
        self.attempt_came.store(self.nanos(at), Ordering::Relaxed);
        self.set_attempt_began(at);
    }

    /// Whether the call's time ran out and queues in here had the attempt for longer than the provider:
    /// that says nothing of the provider.
    pub(crate) fn ran_out_here(&self, now: Instant) -> bool {
        let came = Duration::from_nanos(self.attempt_came.load(Ordering::Relaxed));
        let began = self.attempt_began();
        let queued = began.saturating_duration_since(self.started + came);
        self.deadline().is_some_and(|deadline| now >= deadline)
            && now.saturating_duration_since(began) < queued
    }

    /// The request was held back until `at`.
    pub(crate) fn set_attempt_began(&self, at: Instant) {
        self.attempt_began.store(self.nanos(at), Ordering::Relaxed);
    }

    /// A timer is armed that ends no later than the deadline; `marked` is its owner's note of it.
    pub(crate) fn mark_timer(&self, marked: &mut bool) {
        if !std::mem::replace(marked, true) {
            self.timers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The timer is gone.
    pub(crate) fn unmark_timer(&self, marked: &mut bool) {
        if std::mem::take(marked) {
            self.timers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_timed(&self) -> bool {
        self.timers.load(Ordering::Relaxed) > 0
    }

    /// How long the attempt waited for a connection, where that was measured.
    pub(crate) fn acquired(&self) -> Option<Duration> {
        match self.acquired.load(Ordering::Relaxed) {
            NEVER => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    pub(crate) fn set_acquired(&self, waited: Option<Duration>) {
        let nanos =
            waited.map_or(NEVER, |waited| u64::try_from(waited.as_nanos()).unwrap_or(NEVER));
        self.acquired.store(nanos, Ordering::Relaxed);
    }

    /// Where what the attempt sends is kept, if a subscriber wants it.
    pub(crate) fn capture(&self) -> Option<Arc<Capture>> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_capture(&self, capture: Option<Arc<Capture>>) {
        *self.capture.lock().unwrap_or_else(PoisonError::into_inner) = capture;
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started).as_nanos();
        u64::try_from(since).unwrap_or(NEVER - 1).min(NEVER - 1)
    }
}

/// No deadline.
const NEVER: u64 = u64::MAX;
const UNCOUNTED: u32 = u32::MAX;
