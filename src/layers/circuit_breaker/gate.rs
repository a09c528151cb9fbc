//! The machine where many calls meet.

use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Consecutive, Mode, Throttled, WhenOpen};
use super::hold::{Hold, Waiter};
use super::outage::Cause;
use super::row::Row;
use super::state::{Asker, Change, Forced, Machine, Refusal, Role, Ticket, UNTRACKED, Verdict};
use super::window::{Mark, Sums, Window};
use crate::rt::sync::atomic::{AtomicU64, Ordering};
use crate::rt::sync::{Mutex, MutexGuard, RwLock};
use crate::rt::{self, Rng};

/// A closed breaker is passed with one load and told of a success by a few stores; the lock is for
/// failures, changes of state and probes.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) settings: RwLock<Arc<Settings>>,
    epoch: Instant,
    /// The generation, which every change of state begins anew, and two flags.
    word: AtomicU64,
    pub(super) row: Row,
    /// How often it was forced or released.
    pub(super) forcings: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) abandoned: AtomicU64,
    inner: Mutex<Inner>,
}

/// What is under the lock.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) machine: Machine,
    pub(super) hold: Hold,
    /// Set by a handle, whatever the settings say.
    pub(super) mode: Option<Mode>,
}

/// What can be changed while calls are under way.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: BreakerConfig,
    pub(super) window: Arc<Window>,
}

/// What came of asking to make a call.
#[derive(Debug)]
pub(super) enum Admission {
    Admitted(Ticket),
    /// Admitted only because the breaker reports and doesn't act.
    WouldReject(Ticket),
    /// It waits; true if somebody must begin to look after those who do.
    Held(Arc<Waiter>, bool),
    Rejected(Refusal),
}

/// What is to be done once no lock is held.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) changes: Vec<Change>,
    pub(super) wakers: Vec<Waker>,
}

impl Gate {
    pub(super) fn new(config: BreakerConfig, now: Instant) -> Self {
        let window = Arc::new(Window::new(config.window));
        Self {
            word: AtomicU64::new(timed(&config)),
            settings: RwLock::new(Arc::new(Settings { config, window })),
            epoch: now,
            row: Row::new(now),
            forcings: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                machine: Machine::new(now),
                hold: Hold::default(),
                mode: None,
            }),
        }
    }

    /// The way of nearly all calls: the breaker is closed.
    ///
    /// `began` is about when the attempt began, and exact enough where slowness doesn't count.
    pub(super) fn pass_closed(&self, began: impl FnOnce() -> Instant) -> Option<Ticket> {
        let word = self.word.load(Ordering::Acquire);
        if word & ASK != 0 {
            return None;
        }
        let began = if word & TIMED == 0 { began() } else { rt::now() };
        Some(Ticket::new(began, word >> FLAGS, Role::Usual))
    }

    /// Whether every call passes, as far as can be told without one.
    pub(super) fn passes_all(&self) -> bool {
        self.word.load(Ordering::Acquire) & ASK == 0
    }

    /// Whether the ticket's state is over, and no other call would be let pass as usual.
    pub(super) fn is_outdated(&self, ticket: &Ticket) -> bool {
        let word = self.word.load(Ordering::Acquire);
        word & ASK != 0
            && ![UNTRACKED, word >> FLAGS].contains(&ticket.generation)
            && self.is_open()
    }

    fn is_open(&self) -> bool {
        let (settings, inner) = (self.settings(), self.inner());
        inner.machine.is_open() && inner.mode(&settings) == Mode::Enforce
    }

    /// Asks to make a call.
    pub(super) fn admit(&self, asker: Asker, now: Instant, rng: &Rng) -> (Admission, Effects) {
        let settings = self.settings();
        let config = &settings.config;
        let mut effects = Effects::default();
        let mut inner = self.inner();
        if inner.machine.settle_answered(config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.serve(&mut inner, &settings, now, rng, &mut effects);
        let held = !inner.hold.is_empty();
        let admission = match inner.machine.admit(asker, held, config, now, rng) {
            Ok(role) => Admission::Admitted(self.ticket(&inner, now, role)),
            Err(refusal) => match (inner.mode(&settings), config.when_open) {
                (Mode::ReportOnly, _) => {
                    self.rejected.fetch_add(1, Ordering::Relaxed);
                    Admission::WouldReject(Ticket::untracked(now))
                }
                (Mode::Enforce, WhenOpen::Hold) => {
                    let waiter = inner.hold.join(asker);
                    let must_watch = inner.hold.must_watch(now);
                    Admission::Held(waiter, must_watch)
                }
                (Mode::Enforce, WhenOpen::Refuse) => {
                    self.rejected.fetch_add(1, Ordering::Relaxed);
                    Admission::Rejected(refusal)
                }
            },
        };
        self.settle(&mut inner, &settings, now, &mut effects);
        (admission, effects)
    }

    pub(super) fn ticket(&self, inner: &Inner, now: Instant, role: Role) -> Ticket {
        match inner.machine.forced() {
            Forced::No => Ticket::new(now, self.generation(), role),
            // What comes of it says nothing of the state that it is forced out of.
            _ => Ticket::untracked(now),
        }
    }

    /// Turns away a call that was let pass and hasn't left yet. Where calls are held, it may come
    /// back at once, to be held.
    pub(super) fn turn_away(&self, now: Instant) -> Refusal {
        match self.settings().config.when_open {
            WhenOpen::Hold => Refusal { next: Some(Duration::ZERO), ..self.why(now) },
            WhenOpen::Refuse => {
                self.rejected.fetch_add(1, Ordering::Relaxed);
                self.why(now)
            }
        }
    }

    /// Refuses a call that was held and has no more time.
    pub(super) fn give_up(&self, now: Instant) -> Refusal {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        self.why(now)
    }

    fn why(&self, now: Instant) -> Refusal {
        let settings = self.settings();
        self.inner().machine.why(Asker::Safe, &settings.config, now)
    }

    /// Tells the result of a call.
    pub(super) fn record(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        now: Instant,
        rng: &Rng,
    ) -> Effects {
        let word = self.word.load(Ordering::Acquire);
        if ticket.generation != word >> FLAGS {
            // It began in another state.
            return Effects::default();
        }
        let took = now.saturating_duration_since(ticket.left);
        let is_slow = word & TIMED != 0 && self.settings().config.is_slow(took);
        match (ticket.role, verdict) {
            (Role::Usual, Verdict::Nothing) => Effects::default(),
            (Role::Usual, Verdict::Success) if !is_slow => {
                self.settings().window.record(self.since_epoch(now), Mark::default());
                if let Some(silence) = self.row.succeeded(now) {
                    self.inner().machine.silence_ended(silence, now);
                }
                Effects::default()
            }
            (Role::Probe(probe), verdict) => {
                self.record_probe((ticket.generation, probe), verdict, took, now, rng)
            }
            (role, verdict) => self.record_closed(ticket, role, verdict, took, now, rng),
        }
    }

    fn record_closed(
        &self,
        ticket: Ticket,
        role: Role,
        verdict: Verdict,
        took: Duration,
        now: Instant,
        rng: &Rng,
    ) -> Effects {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if ticket.generation != self.generation() {
            return effects;
        }
        if role == Role::Released {
            inner.machine.released_one();
        }
        let config = &settings.config;
        let (failed, asked) = match verdict {
            Verdict::Nothing | Verdict::Success => (false, None),
            Verdict::Refused => (true, None),
            Verdict::Failure { retry_after } => (true, retry_after),
            Verdict::Throttled { retry_after } => {
                (config.throttled == Throttled::Always, retry_after)
            }
        };
        let mark = Mark { failed, slow: config.is_slow(took) };
        if let Some(silence) = self.count(&settings, verdict, mark, ticket.left, now) {
            inner.machine.silence_ended(silence, now);
        }
        // A result that is good in every way never opens it.
        let is_bad = failed || mark.slow && verdict != Verdict::Nothing;
        let cause = if is_bad { self.cause(&settings, &inner, now) } else { None };
        if let Some(cause) = cause {
            inner.machine.open(cause, asked, config, now, rng);
            self.next_generation(&inner, config);
        }
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        effects
    }

    /// Counts a result; how long nothing had succeeded, if it ends a row of failures.
    fn count(
        &self,
        settings: &Settings,
        verdict: Verdict,
        mark: Mark,
        sent: Instant,
        now: Instant,
    ) -> Option<Duration> {
        match verdict {
            Verdict::Nothing => return None,
            // The rates are of what was answered, or should have been.
            Verdict::Refused => {
                self.row.refused(sent);
                return None;
            }
            _ => settings.window.record(self.since_epoch(now), mark),
        }
        if let Verdict::Failure { .. } = verdict {
            self.row.failed(sent);
            return None;
        }
        self.row.succeeded(now)
    }

    /// Why it is to open, if it is.
    fn cause(&self, settings: &Settings, inner: &Inner, now: Instant) -> Option<Cause> {
        let config = &settings.config;
        let Sums { total, failed, slow } = settings.window.sums(self.since_epoch(now));
        let enough = total >= config.minimum;
        let reached = |rate: crate::Ratio, part: u32| rate.is_reached_by(part.into(), total.into());
        let row = self.row.length();
        let is_row = match config.consecutive {
            Some(Consecutive::Always(most)) => row >= most,
            Some(Consecutive::BelowMinimum(most)) => !enough && row >= most,
            None => false,
        };
        let since = self.row.silent_since();
        let silence = inner.machine.longest_silence(config, now);
        if is_row && now.saturating_duration_since(since) >= silence {
            return Some(Cause::Row { since, failed: row });
        }
        let failing = enough && config.failure_rate.is_some_and(|rate| reached(rate, failed))
            || config.failures.is_some_and(|most| failed >= most);
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
        verdict: Verdict,
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
        if inner.machine.judge_probe(probe, verdict, took, &settings.config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        effects
    }

    /// A probe goes on its way, from a queue further in or at once.
    pub(super) fn note_left(&self, ticket: Ticket, now: Instant) {
        if let Role::Probe(probe) = ticket.role
            && ticket.generation == self.generation()
        {
            self.inner().machine.note_left(probe, now);
        }
    }

    /// A probe has a good head, and its body is being read.
    pub(super) fn note_head(&self, ticket: Ticket, at: Instant) {
        if let Role::Probe(probe) = ticket.role
            && ticket.generation == self.generation()
        {
            self.inner().machine.note_head(probe, ticket.left, at);
        }
    }

    pub(super) fn close(&self, inner: &mut Inner, settings: &Settings, now: Instant) {
        let held = !inner.hold.is_empty();
        inner.machine.close(held, now);
        self.begin_anew(inner, settings);
    }

    /// Nothing is known of the calls to come.
    pub(super) fn begin_anew(&self, inner: &Inner, settings: &Settings) {
        settings.window.clear();
        self.row.clear();
        self.next_generation(inner, &settings.config);
    }

    /// After any change: lets those go who may, and notes what follows.
    pub(super) fn finish(
        &self,
        inner: &mut Inner,
        settings: &Settings,
        now: Instant,
        rng: &Rng,
        effects: &mut Effects,
    ) {
        self.serve(inner, settings, now, rng, effects);
        self.settle(inner, settings, now, effects);
    }

    /// Notes what calls must ask for, and what others are to be told.
    fn settle(&self, inner: &mut Inner, settings: &Settings, now: Instant, effects: &mut Effects) {
        self.write_word(inner, &settings.config, self.generation());
        effects.changes.extend(inner.machine.untold(&settings.config, now));
    }

    pub(super) fn next_generation(&self, inner: &Inner, config: &BreakerConfig) {
        self.write_word(inner, config, self.generation() + 1);
    }

    fn write_word(&self, inner: &Inner, config: &BreakerConfig, generation: u64) {
        let ask = if inner.machine.is_plain() { 0 } else { ASK };
        self.word.store(generation << FLAGS | ask | timed(config), Ordering::Release);
    }

    fn generation(&self) -> u64 {
        self.word.load(Ordering::Acquire) >> FLAGS
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
    /// Wakes those who may go; the changes are for whoever asked.
    pub(super) fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

/// Slowness counts, so that every call needs to know the time.
fn timed(config: &BreakerConfig) -> u64 {
    if config.slow.is_some() { TIMED } else { 0 }
}

/// Set where calls must ask whether they may pass.
const ASK: u64 = 0b01;
/// Set where every call needs to know the time.
const TIMED: u64 = 0b10;
/// How many bits the flags take.
const FLAGS: u32 = 2;
