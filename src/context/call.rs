use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode};

use super::gate::{Gate, Gates};
use super::ids::{CallId, CorrelationId, KeyFact};
use super::target::CallTarget;
use super::trace::TraceContext;
use crate::rt::Rng;
use crate::terms::{Delivery, SwitchMode};

/// What all attempts of a call share, written from whichever layer finds it out.
#[derive(Debug)]
pub(crate) struct Call {
    /// Minted when somebody asks: a call that nobody tells of needs none.
    id: OnceLock<CallId>,
    id_header: OnceLock<HeaderValue>,
    pub(crate) started: Instant,
    pub(crate) integration: Option<Arc<str>>,
    pub(crate) correlation: OnceLock<CorrelationId>,
    /// The trace that it belongs to.
    pub(crate) trace: OnceLock<TraceContext>,
    pub(crate) key: OnceLock<KeyFact>,
    /// Nanoseconds from the start; [`NEVER`] without one.
    deadline: AtomicU64,
    /// Attempts begun so far, where a retry layer counts them; [`UNCOUNTED`] without one.
    attempts: AtomicU32,
    last_status: AtomicU16,
    /// The worst delivery of the attempts that have ended.
    delivery: AtomicU8,
    /// Somebody notes of every attempt how it ends.
    noted: AtomicBool,
    /// A fallback gave the answer.
    fell_back: AtomicBool,
    /// A second request for the call is under way.
    doubled: AtomicBool,
    /// How long a retry layer waited between attempts, in nanoseconds.
    waited: AtomicU64,
    /// Second requests that went out so far.
    hedges: AtomicU32,
    gates: Gates,
    /// Where somebody listens.
    pub(crate) target: OnceLock<CallTarget>,
}

impl Call {
    pub(crate) fn new(started: Instant, integration: Option<Arc<str>>) -> Self {
        Self {
            id: OnceLock::new(),
            id_header: OnceLock::new(),
            started,
            integration,
            correlation: OnceLock::new(),
            trace: OnceLock::new(),
            key: OnceLock::new(),
            deadline: AtomicU64::new(NEVER),
            attempts: AtomicU32::new(UNCOUNTED),
            last_status: AtomicU16::new(0),
            delivery: AtomicU8::new(0),
            noted: AtomicBool::new(false),
            fell_back: AtomicBool::new(false),
            doubled: AtomicBool::new(false),
            waited: AtomicU64::new(0),
            hedges: AtomicU32::new(0),
            gates: Gates::default(),
            target: OnceLock::new(),
        }
    }

    /// The call's id, minted at the first question.
    pub(crate) fn id(&self) -> CallId {
        self.mint_id(&Rng::system())
    }

    /// The same, where it is this source that ids are made of.
    pub(crate) fn mint_id(&self, rng: &Rng) -> CallId {
        *self.id.get_or_init(|| CallId::mint(rng))
    }

    /// The id as a header's value, which all that send it share.
    pub(crate) fn id_header(&self) -> &HeaderValue {
        self.id_header.get_or_init(|| self.id().to_header())
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

    /// Attempts that a retry layer counted.
    pub(super) fn attempts(&self) -> Option<u32> {
        Some(self.attempts.load(Ordering::Relaxed)).filter(|attempts| *attempts != UNCOUNTED)
    }

    /// Whether a retry layer counts attempts.
    pub(crate) fn is_counted(&self) -> bool {
        self.attempts().is_some()
    }

    pub(crate) fn count_attempts(&self, sent: u32) {
        self.attempts.store(sent, Ordering::Relaxed);
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

    /// A request ended, and this is known of it.
    pub(crate) fn worsen(&self, delivery: Delivery) {
        self.delivery.fetch_max(delivery as u8, Ordering::Relaxed);
    }

    /// Every attempt's end will be noted by [`worsen`](Self::worsen).
    pub(crate) fn set_noted(&self) {
        self.noted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// A fallback answered in the place of an attempt.
    pub(crate) fn set_fell_back(&self) {
        self.fell_back.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_fallen_back(&self) -> bool {
        self.fell_back.load(Ordering::Relaxed)
    }

    /// Lets the call be stopped as long as it waits.
    pub(crate) fn add_gate(&self, gate: Arc<dyn Gate>) {
        self.gates.add(gate);
    }

    /// Whether the call may have another attempt, or a second request beside the first.
    pub(crate) fn may_repeat(&self) -> bool {
        self.gates.iter().all(|gate| gate.mode() == SwitchMode::On)
    }

    /// Whether nobody can stop it.
    pub(crate) fn is_unstoppable(&self) -> bool {
        self.gates.iter().next().is_none()
    }

    /// Who can still stop the call.
    pub(crate) fn gates(&self) -> impl Iterator<Item = &Arc<dyn Gate>> {
        self.gates.iter()
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

    pub(super) fn is_doubled(&self) -> bool {
        self.doubled.load(Ordering::Relaxed)
    }

    /// It is over, one way or another.
    pub(crate) fn end_hedge(&self) {
        self.doubled.store(false, Ordering::Relaxed);
    }

    pub(crate) fn hedges(&self) -> u32 {
        self.hedges.load(Ordering::Relaxed)
    }

    pub(super) fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.started).as_nanos();
        u64::try_from(since).unwrap_or(NEVER - 1).min(NEVER - 1)
    }
}

/// No deadline.
pub(super) const NEVER: u64 = u64::MAX;
const UNCOUNTED: u32 = u32::MAX;
