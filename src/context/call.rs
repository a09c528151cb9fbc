use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode};

use super::ids::{CallId, CorrelationId, KeyFact};
use super::moment::Moment;
use super::stop::{Stop, Stops};
use super::target::CallTarget;
use super::trace::TraceContext;
use crate::rt::Rng;
use crate::terms::{Delivery, SwitchMode};

/// The facts that all attempts of a call share. Each is written by the layer that finds it out.
#[derive(Debug)]
pub(crate) struct Call {
    /// Made when it is first asked for: a call that nobody observes needs none.
    id: OnceLock<CallId>,
    pub(crate) started: Instant,
    pub(crate) integration: Option<Arc<str>>,
    pub(crate) correlation: OnceLock<CorrelationId>,
    /// The trace that it belongs to.
    pub(crate) trace: OnceLock<TraceContext>,
    pub(crate) key: OnceLock<KeyFact>,
    /// A [`Moment`]; [`Moment::NEVER`] without one.
    deadline: AtomicU64,
    /// Attempts begun so far, where a retry layer counts them; [`UNCOUNTED`] without one.
    attempts: AtomicU32,
    last_status: AtomicU16,
    /// The worst delivery of the attempts that have ended.
    delivery: AtomicU8,
    /// A layer records how every attempt ends.
    noted: AtomicBool,
    /// A fallback gave the answer.
    fell_back: AtomicBool,
    /// A second request for the call is running.
    doubled: AtomicBool,
    /// It has what its scope has for it.
    scoped: AtomicBool,
    /// Nobody waits for it: others go first.
    in_background: AtomicBool,
    /// How long a retry layer waited between attempts, in nanoseconds.
    waited: AtomicU64,
    /// Second requests sent so far.
    hedges: AtomicU32,
    stops: Stops,
    /// Set only if there are subscribers.
    pub(crate) target: OnceLock<CallTarget>,
}

impl Call {
    pub(crate) fn new(started: Instant, integration: Option<Arc<str>>) -> Self {
        Self {
            id: OnceLock::new(),
            started,
            integration,
            correlation: OnceLock::new(),
            trace: OnceLock::new(),
            key: OnceLock::new(),
            deadline: AtomicU64::new(Moment::NEVER.0),
            attempts: AtomicU32::new(UNCOUNTED),
            last_status: AtomicU16::new(0),
            delivery: AtomicU8::new(0),
            noted: AtomicBool::new(false),
            fell_back: AtomicBool::new(false),
            doubled: AtomicBool::new(false),
            scoped: AtomicBool::new(false),
            in_background: AtomicBool::new(false),
            waited: AtomicU64::new(0),
            hedges: AtomicU32::new(0),
            stops: Stops::default(),
            target: OnceLock::new(),
        }
    }

    /// A part of the call that runs in a task of its own, from now on.
    pub(crate) fn detached(&self, now: Instant) -> Self {
        let part = Self::new(now, self.integration.clone());
        let _ = part.id.set(self.id());
        copy(&self.correlation, &part.correlation);
        copy(&self.trace, &part.trace);
        copy(&self.target, &part.target);
        part
    }

    /// Takes over what a part of the call came to.
    pub(crate) fn adopt(&self, part: &Self) {
        self.count_attempts(part.attempts.load(Ordering::Relaxed));
        self.set_waited(part.waited());
        self.hedges.store(part.hedges(), Ordering::Relaxed);
        self.merge_delivery(part.delivery());
        part.last_status().into_iter().for_each(|status| self.answered(status));
        self.noted.fetch_or(part.is_noted(), Ordering::Relaxed);
    }

    /// The call's id, made when it is first asked for.
    pub(crate) fn id(&self) -> CallId {
        self.mint_id(&Rng::system())
    }

    /// The same, with this source of randomness for a new id.
    pub(crate) fn mint_id(&self, rng: &Rng) -> CallId {
        *self.id.get_or_init(|| CallId::mint(rng))
    }

    /// The correlation id: made of the call's own if it has none.
    pub(crate) fn correlate(&self, rng: &Rng) -> &CorrelationId {
        let made = || CorrelationId::from_minted(self.mint_id(rng).to_header());
        self.correlation.get_or_init(made)
    }

    /// The id as a header's value: the correlation id's, if that was made from it.
    pub(crate) fn id_header(&self) -> HeaderValue {
        let id = self.id();
        let made = self.correlation.get().filter(|made| id.is_text(made.as_str()));
        made.map_or_else(|| id.to_header(), |made| made.as_header().clone())
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let due = self.due();
        (due != Moment::NEVER).then(|| due.instant(self.started))
    }

    /// The same, [`Moment::NEVER`] without one.
    pub(crate) fn due(&self) -> Moment {
        Moment(self.deadline.load(Ordering::Relaxed))
    }

    /// Sets the deadline, unless there is an earlier one.
    pub(crate) fn end_by(&self, deadline: Instant) {
        self.deadline.fetch_min(self.moment(deadline).0, Ordering::Relaxed);
    }

    /// Sets the deadline, unless there is a later one; `None` takes it away.
    pub(crate) fn end_by_the_later(&self, deadline: Option<Instant>) {
        let moment = deadline.map_or(Moment::NEVER, |deadline| self.moment(deadline));
        self.deadline.fetch_max(moment.0, Ordering::Relaxed);
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

    /// The delivery of a call whose last attempt was answered: an earlier attempt may have been
    /// lost.
    pub(crate) fn delivery_of_answer(&self) -> Delivery {
        self.delivery().max(Delivery::Answered)
    }

    /// The delivery of a call that has come to its answer: the provider's, or a fallback's.
    pub(crate) fn delivery_at_end(&self, is_success: bool) -> Delivery {
        match self.has_fallen_back() {
            true => self.delivery(),
            // It was processed, whatever earlier attempts did.
            false if is_success => Delivery::Answered,
            false => self.delivery_of_answer(),
        }
    }

    /// A request ended with this delivery.
    pub(crate) fn merge_delivery(&self, delivery: Delivery) {
        self.delivery.fetch_max(delivery as u8, Ordering::Relaxed);
    }

    /// Every attempt's end will be recorded by [`merge_delivery`](Self::merge_delivery).
    pub(crate) fn set_noted(&self) {
        self.noted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// The call takes what its scope has for it. Returns whether it is the first to do so.
    pub(crate) fn enter_scope(&self) -> bool {
        !self.scoped.swap(true, Ordering::Relaxed)
    }

    /// Nobody waits for it: where calls have priorities, it has the low one.
    pub(crate) fn set_in_background(&self) {
        self.in_background.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_in_background(&self) -> bool {
        self.in_background.load(Ordering::Relaxed)
    }

    /// A fallback answered in the provider's place.
    pub(crate) fn set_fell_back(&self) {
        self.fell_back.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_fallen_back(&self) -> bool {
        self.fell_back.load(Ordering::Relaxed)
    }

    /// Adds a way to stop the call while it waits.
    pub(crate) fn add_stop(&self, stop: Arc<dyn Stop>) {
        self.stops.add(stop);
    }

    /// Whether the call may have another attempt, or a second request beside the first.
    pub(crate) fn may_repeat(&self) -> bool {
        self.stops.iter().all(|stop| stop.mode() == SwitchMode::On)
    }

    /// The ways to stop the call.
    pub(crate) fn stops(&self) -> impl Iterator<Item = &Arc<dyn Stop>> {
        self.stops.iter()
    }

    /// The time waited between attempts, set when the last one has ended.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_nanos(self.waited.load(Ordering::Relaxed))
    }

    pub(crate) fn set_waited(&self, waited: Duration) {
        let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.waited.store(nanos, Ordering::Relaxed);
    }

    /// A second request is sent beside the first.
    pub(crate) fn begin_hedge(&self) {
        self.doubled.store(true, Ordering::Relaxed);
        self.hedges.fetch_add(1, Ordering::Relaxed);
    }

    /// The second request was refused here and not sent.
    pub(crate) fn uncount_hedge(&self) {
        self.hedges.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_doubled(&self) -> bool {
        self.doubled.load(Ordering::Relaxed)
    }

    /// The second request has ended.
    pub(crate) fn end_hedge(&self) {
        self.doubled.store(false, Ordering::Relaxed);
    }

    pub(crate) fn hedges(&self) -> u32 {
        self.hedges.load(Ordering::Relaxed)
    }

    pub(crate) fn moment(&self, at: Instant) -> Moment {
        Moment::of(self.started, at)
    }
}

fn copy<T: Clone>(from: &OnceLock<T>, to: &OnceLock<T>) {
    if let Some(value) = from.get() {
        let _ = to.set(value.clone());
    }
}

const UNCOUNTED: u32 = u32::MAX;
