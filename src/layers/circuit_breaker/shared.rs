//! The state machine behind a lock, and what calls read without it.

use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Consecutive, Mode, Throttled, WhenOpen};
use super::consecutive::{ConsecutiveFailures, Failed};
use super::held_queue::{HeldCall, HeldQueue};
use super::outage::Cause;
use super::state::{
    Admission, AttemptOutcome, CallSafety, Change, Forced, Machine, Refusal, Role, UNTRACKED,
};
use super::window::{Counts, Window, WindowSample};
use crate::rt::sync::atomic::{AtomicU64, Ordering};
use crate::rt::sync::{Mutex, MutexGuard, RwLock};
use crate::rt::{self, Rng};

/// While the breaker is closed, a call is admitted by one load and a success is recorded by a few
/// stores. The lock is taken for failures, changes of state and probes.
#[derive(Debug)]
pub(super) struct SharedBreaker {
    pub(super) settings: RwLock<Arc<Settings>>,
    epoch: Instant,
    /// The generation, which every change of state increments, and two flags.
    packed: AtomicU64,
    pub(super) consecutive: ConsecutiveFailures,
    /// How often a handle changed it.
    pub(super) manual_changes: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) abandoned: AtomicU64,
    inner: Mutex<Inner>,
}

/// What is under the lock.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) machine: Machine,
    pub(super) held: HeldQueue,
    /// Set by a handle, whatever the settings say.
    pub(super) mode: Option<Mode>,
}

/// What can be changed while calls are in flight.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: BreakerConfig,
    pub(super) window: Arc<Window>,
}

/// The answer to a call that asks to be sent.
#[derive(Debug)]
pub(super) enum Decision {
    Admitted(Admission),
    /// Admitted only because the breaker reports without rejecting.
    WouldReject(Admission),
    /// It is held; true if the caller must spawn the task that releases held calls.
    Held(Arc<HeldCall>, bool),
    Rejected(Refusal),
}

/// What is to be done once no lock is held.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) changes: Vec<Change>,
    pub(super) wakers: Vec<Waker>,
}

impl SharedBreaker {
    pub(super) fn new(config: BreakerConfig, now: Instant) -> Self {
        let window = Arc::new(Window::new(config.window));
        Self {
            packed: AtomicU64::new(tracks_latency(&config)),
            settings: RwLock::new(Arc::new(Settings { config, window })),
            epoch: now,
            consecutive: ConsecutiveFailures::new(now),
            manual_changes: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                machine: Machine::new(now),
                held: HeldQueue::default(),
                mode: None,
            }),
        }
    }

    /// Admits a call while the breaker is closed, without the lock.
    ///
    /// `began` says when the attempt began, which is exact enough if latency isn't tracked.
    pub(super) fn admit_closed(&self, began: impl FnOnce() -> Instant) -> Option<Admission> {
        let packed = self.packed.load(Ordering::Acquire);
        if packed & MUST_LOCK != 0 {
            return None;
        }
        let began = if packed & TRACKS_LATENCY == 0 { began() } else { rt::now() };
        Some(Admission::new(began, packed >> FLAGS, Role::Normal))
    }

    /// Whether every call is admitted.
    pub(super) fn admits_all(&self) -> bool {
        self.packed.load(Ordering::Acquire) & MUST_LOCK == 0
    }

    /// Whether the state that granted the admission is over, and the breaker is open now.
    pub(super) fn is_outdated(&self, admission: &Admission) -> bool {
        let packed = self.packed.load(Ordering::Acquire);
        packed & MUST_LOCK != 0
            && ![UNTRACKED, packed >> FLAGS].contains(&admission.generation)
            && self.is_open()
    }

    fn is_open(&self) -> bool {
        let (settings, inner) = (self.settings(), self.inner());
        inner.machine.is_open() && inner.mode(&settings) == Mode::Enforce
    }

    /// Decides about a call: see [`Decision`].
    pub(super) fn admit(&self, safety: CallSafety, now: Instant, rng: &Rng) -> (Decision, Effects) {
        let settings = self.settings();
        let config = &settings.config;
        let mut effects = Effects::default();
        let mut inner = self.inner();
        if inner.machine.judge_answered_probes(config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.serve(&mut inner, &settings, now, rng, &mut effects);
        let held = !inner.held.is_empty();
        let decision = match inner.machine.admit(safety, held, config, now, rng) {
            Ok(role) => Decision::Admitted(self.admission(&inner, now, role)),
            Err(refusal) => match (inner.mode(&settings), config.when_open) {
                (Mode::ReportOnly, _) => {
                    self.rejected.fetch_add(1, Ordering::Relaxed);
                    Decision::WouldReject(Admission::untracked(now))
                }
                (Mode::Enforce, WhenOpen::Hold) => {
                    let held = inner.held.join(safety);
                    let needs_task = inner.held.needs_task(now);
                    Decision::Held(held, needs_task)
                }
                (Mode::Enforce, WhenOpen::Refuse) => {
                    self.rejected.fetch_add(1, Ordering::Relaxed);
                    Decision::Rejected(refusal)
                }
            },
        };
        self.publish(&mut inner, &settings, now, &mut effects);
        (decision, effects)
    }

    pub(super) fn admission(&self, inner: &Inner, now: Instant, role: Role) -> Admission {
        match inner.machine.forced() {
            Forced::No => Admission::new(now, self.generation(), role),
            // Results of a forced state don't count.
            _ => Admission::untracked(now),
        }
    }

    /// Refuses a call that was admitted and is still queued further in. If calls are held, it may be
    /// retried at once, to be held.
    pub(super) fn reject_queued(&self, now: Instant) -> Refusal {
        match self.settings().config.when_open {
            WhenOpen::Hold => Refusal { next: Some(Duration::ZERO), ..self.why(now) },
            WhenOpen::Refuse => {
                self.rejected.fetch_add(1, Ordering::Relaxed);
                self.why(now)
            }
        }
    }

    /// Refuses a held call whose deadline has passed.
    pub(super) fn reject_held(&self, now: Instant) -> Refusal {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        self.why(now)
    }

    fn why(&self, now: Instant) -> Refusal {
        let settings = self.settings();
        self.inner().machine.why(CallSafety::Safe, &settings.config, now)
    }

    /// Records the result of a call.
    pub(super) fn record(
        &self,
        admission: Admission,
        outcome: AttemptOutcome,
        now: Instant,
        rng: &Rng,
    ) -> Effects {
        let packed = self.packed.load(Ordering::Acquire);
        if admission.generation != packed >> FLAGS {
            // It began in another state.
            return Effects::default();
        }
        let took = now.saturating_duration_since(admission.sent_at);
        let is_slow = packed & TRACKS_LATENCY != 0 && self.settings().config.is_slow(took);
        match (admission.role, outcome) {
            (Role::Normal, AttemptOutcome::Neutral) => Effects::default(),
            (Role::Normal, AttemptOutcome::Success) if !is_slow => {
                self.settings().window.record(self.since_epoch(now), WindowSample::default());
                if let Some(gap) = self.consecutive.succeeded(now) {
                    self.inner().machine.success_gap_ended(gap, now);
                }
                Effects::default()
            }
            (Role::Probe(probe), outcome) => {
                self.record_probe((admission.generation, probe), outcome, took, now, rng)
            }
            (role, outcome) => self.record_closed(admission, role, outcome, took, now, rng),
        }
    }

    fn record_closed(
        &self,
        admission: Admission,
        role: Role,
        outcome: AttemptOutcome,
        took: Duration,
        now: Instant,
        rng: &Rng,
    ) -> Effects {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if admission.generation != self.generation() {
            return effects;
        }
        if role == Role::Released {
            inner.machine.released_one();
        }
        let config = &settings.config;
        let (failed, asked) = match outcome {
            AttemptOutcome::Neutral | AttemptOutcome::Success => (false, None),
            AttemptOutcome::Refused => (true, None),
            AttemptOutcome::Failure { retry_after } => (true, retry_after),
            AttemptOutcome::Throttled { retry_after } => {
                (config.throttled == Throttled::Always, retry_after)
            }
        };
        let sample = WindowSample { failed, slow: config.is_slow(took) };
        if let Some(gap) = self.count(&settings, outcome, sample, &admission, now) {
            inner.machine.success_gap_ended(gap, now);
        }
        // A fast success never opens it.
        let is_bad = failed || sample.slow && outcome != AttemptOutcome::Neutral;
        let cause = if is_bad { self.cause(&settings, &inner, now) } else { None };
        if let Some(cause) = cause {
            inner.machine.open(cause, asked, config, now, rng);
            self.next_generation(&inner, config);
        }
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        effects
    }

    /// Counts a result. Returns how long nothing had succeeded, if it ends a row of failures.
    fn count(
        &self,
        settings: &Settings,
        outcome: AttemptOutcome,
        sample: WindowSample,
        admission: &Admission,
        now: Instant,
    ) -> Option<Duration> {
        let Admission { sent_at, is_answered, .. } = *admission;
        match outcome {
            AttemptOutcome::Neutral => return None,
            // Rates count what was answered, or should have been.
            AttemptOutcome::Refused => {
                self.consecutive.refused(sent_at, is_answered);
                return None;
            }
            _ => settings.window.record(self.since_epoch(now), sample),
        }
        if let AttemptOutcome::Failure { .. } = outcome {
            self.consecutive.failed(sent_at, is_answered);
            return None;
        }
        self.consecutive.succeeded(now)
    }

    /// The reason to open, if there is one.
    fn cause(&self, settings: &Settings, inner: &Inner, now: Instant) -> Option<Cause> {
        let config = &settings.config;
        let Counts { total, failed, slow } = settings.window.counts(self.since_epoch(now));
        let enough = total >= config.minimum;
        let reached = |rate: crate::Ratio, part: u32| rate.is_reached_by(part.into(), total.into());
        let limit = match config.consecutive {
            Some(Consecutive::Always(limit)) => Some(limit),
            Some(Consecutive::BelowMinimum(limit)) => (!enough).then_some(limit),
            None => None,
        };
        let gap = inner.machine.success_gap_limit(config, now);
        let (limit, gap) = match self.consecutive.is_hinted(now) {
            true => (limit.map(|it| it.min(HINTED_FAILURES)), gap / HINTED_GAP_DIVISOR),
            false => (limit, gap),
        };
        let is_outage = |row: &Failed| {
            let lasts = now.saturating_duration_since(row.since);
            limit.is_some_and(|limit| row.in_row >= limit) && lasts >= gap
        };
        if let Some(Failed { in_row, since }) = self.consecutive.rows().into_iter().find(is_outage)
        {
            return Some(Cause::Consecutive { since, failed: in_row });
        }
        let failing = enough && config.failure_rate.is_some_and(|rate| reached(rate, failed))
            || config.failures.is_some_and(|limit| failed >= limit);
        let slowly = enough && config.slow.is_some_and(|rule| reached(rule.rate, slow));
        match (failing, slowly) {
            (true, _) => Some(Cause::Failures),
            (false, true) => Some(Cause::Slowness),
            (false, false) => None,
        }
    }

    fn record_probe(
        &self,
        (generation, probe): (u64, u32),
        outcome: AttemptOutcome,
        took: Duration,
        now: Instant,
        rng: &Rng,
    ) -> Effects {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if generation != self.generation() {
            // Probes of another outage may have the same numbers.
            return effects;
        }
        if inner.machine.judge_probe(probe, outcome, took, &settings.config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        effects
    }

    /// A probe was sent, after a wait in a queue further in or at once.
    pub(super) fn record_sent(&self, admission: Admission, now: Instant) {
        if let Role::Probe(probe) = admission.role
            && admission.generation == self.generation()
        {
            self.inner().machine.record_sent(probe, now);
        }
    }

    /// A call was answered with a successful head, and its body is being read.
    pub(super) fn record_head(&self, admission: Admission, at: Instant) {
        if admission.generation != self.generation() {
            return;
        }
        if let Role::Probe(probe) = admission.role {
            self.inner().machine.record_head(probe, admission.sent_at, at);
        } else if let Some(gap) = self.consecutive.answered(at) {
            self.inner().machine.success_gap_ended(gap, at);
        }
    }

    pub(super) fn close(&self, inner: &mut Inner, settings: &Settings, now: Instant) {
        let held = !inner.held.is_empty();
        inner.machine.close(held, now);
        self.clear_results(inner, settings);
    }

    /// Clears all results, and lets none of those count that are still to come.
    pub(super) fn clear_results(&self, inner: &Inner, settings: &Settings) {
        settings.window.clear();
        self.consecutive.clear();
        self.next_generation(inner, &settings.config);
    }

    /// After any change: admits held calls and publishes the new state.
    pub(super) fn finish(
        &self,
        inner: &mut Inner,
        settings: &Settings,
        now: Instant,
        rng: &Rng,
        effects: &mut Effects,
    ) {
        self.serve(inner, settings, now, rng, effects);
        self.publish(inner, settings, now, effects);
    }

    /// Publishes the state for calls that don't take the lock, and notes the events to emit.
    fn publish(&self, inner: &mut Inner, settings: &Settings, now: Instant, effects: &mut Effects) {
        self.write_packed(inner, &settings.config, self.generation());
        effects.changes.extend(inner.machine.unreported_change(&settings.config, now));
    }

    pub(super) fn next_generation(&self, inner: &Inner, config: &BreakerConfig) {
        self.write_packed(inner, config, self.generation() + 1);
    }

    fn write_packed(&self, inner: &Inner, config: &BreakerConfig, generation: u64) {
        let flag = if inner.machine.is_closed_unforced() { 0 } else { MUST_LOCK };
        self.packed.store(generation << FLAGS | flag | tracks_latency(config), Ordering::Release);
    }

    fn generation(&self) -> u64 {
        self.packed.load(Ordering::Acquire) >> FLAGS
    }

    pub(super) fn since_epoch(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    pub(super) fn mode(&self, settings: &Settings) -> Mode {
        self.mode.unwrap_or(settings.config.mode)
    }
}

impl Effects {
    /// Wakes the calls that were admitted.
    pub(super) fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

/// The flag for whether slow calls count, so that every call must know the time.
fn tracks_latency(config: &BreakerConfig) -> u64 {
    if config.slow.is_some() { TRACKS_LATENCY } else { 0 }
}

/// So many failures in a row are enough where most others have found nothing that answers: at half of all
/// calls failing, they come once in eight.
const HINTED_FAILURES: u32 = 3;
/// The time without a success is so many times shorter then.
const HINTED_GAP_DIVISOR: u32 = 4;
/// Set if calls must take the lock to be admitted.
const MUST_LOCK: u64 = 0b01;
/// Set if every call must know the time.
const TRACKS_LATENCY: u64 = 0b10;
/// How many bits the flags take.
const FLAGS: u32 = 2;
