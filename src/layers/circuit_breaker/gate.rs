//! The machine where many calls meet.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Consecutive, Mode, Throttled, WhenOpen};
use super::hold::{Hold, Waiter};
use super::state::{
    Asker, Cause, Change, Forced, Machine, Refusal, Role, Ticket, UNTRACKED, Verdict,
};
use super::window::{Mark, Sums, Window};
use crate::event::BreakerState;
use crate::rt::{self, Rng};

/// A closed breaker is passed with one load and told of a success by a few stores; the lock is for
/// failures, changes of state and probes.
#[derive(Debug)]
pub(super) struct Gate {
    settings: RwLock<Arc<Settings>>,
    epoch: Instant,
    /// The generation, which every change of state begins anew, and two flags.
    word: AtomicU64,
    /// Attempts that failed one after the other.
    row: AtomicU32,
    /// When the first of them was sent, and when something last succeeded, in nanoseconds of the
    /// epoch.
    row_since: AtomicU64,
    last_success: AtomicU64,
    /// How often it was forced or released.
    forcings: AtomicU64,
    rejected: AtomicU64,
    abandoned: AtomicU64,
    inner: Mutex<Inner>,
}

/// What is under the lock.
#[derive(Debug)]
pub(super) struct Inner {
    machine: Machine,
    hold: Hold,
    /// Set by a handle, whatever the settings say.
    mode: Option<Mode>,
}

/// What can be changed while calls are under way.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: BreakerConfig,
    window: Arc<Window>,
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
    wakers: Vec<Waker>,
}

impl Gate {
    pub(super) fn new(config: BreakerConfig, now: Instant) -> Self {
        let window = Arc::new(Window::new(config.window));
        Self {
            word: AtomicU64::new(timed(&config)),
            settings: RwLock::new(Arc::new(Settings { config, window })),
            epoch: now,
            row: AtomicU32::new(0),
            row_since: AtomicU64::new(0),
            last_success: AtomicU64::new(0),
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
                    let must_watch = !std::mem::replace(&mut inner.hold.is_watched, true);
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

    fn ticket(&self, inner: &Inner, now: Instant, role: Role) -> Ticket {
        match inner.machine.forced() {
            Forced::No => Ticket::new(now, self.generation(), role),
            // What comes of it says nothing of the state that it is forced out of.
            _ => Ticket::untracked(now),
        }
    }

    /// Turns away a call that was let pass and hasn't left yet. Where calls are held, it may come
    /// back at once, to be held.
    pub(super) fn turn_away(&self, now: Instant) -> Refusal {
        let settings = self.settings();
        self.rejected.fetch_add(1, Ordering::Relaxed);
        let refusal = self.inner().machine.why(Asker::Safe, &settings.config, now);
        match settings.config.when_open {
            WhenOpen::Hold => Refusal { next: Some(Duration::ZERO), ..refusal },
            WhenOpen::Refuse => refusal,
        }
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
                if let Some(silence) = self.note_success(now) {
                    self.inner().machine.silence_ended(silence, now);
                }
                Effects::default()
            }
            (Role::Probe(probe), verdict) => self.record_probe(probe, verdict, took, now, rng),
            (role, verdict) => self.record_closed(ticket, role, verdict, took, now, rng),
        }
    }

    /// Ends the row; how long it was silent, if there were many failures.
    fn note_success(&self, now: Instant) -> Option<Duration> {
        let row = self.row.load(Ordering::Relaxed);
        let silence = || now.saturating_duration_since(self.silent_since());
        let ended = (row >= MANY).then(silence);
        if row != 0 {
            self.row.store(0, Ordering::Relaxed);
        }
        self.last_success.store(nanos(self.since_epoch(now)), Ordering::Relaxed);
        ended
    }

    /// When the first of the row was sent, or something last succeeded if that was later.
    fn silent_since(&self) -> Instant {
        let since = self.row_since.load(Ordering::Relaxed);
        let since = since.max(self.last_success.load(Ordering::Relaxed));
        self.epoch + Duration::from_nanos(since)
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
        let counted = match verdict {
            Verdict::Nothing => None,
            Verdict::Success => Some((false, None)),
            Verdict::Failure { retry_after } => Some((true, retry_after)),
            Verdict::Throttled { retry_after } => {
                Some((config.throttled == Throttled::Always, retry_after))
            }
        };
        if let Some((failed, asked)) = counted {
            let mark = Mark { failed, slow: config.is_slow(took) };
            settings.window.record(self.since_epoch(now), mark);
            if let Verdict::Failure { .. } = verdict {
                self.count_row(ticket.left);
            } else if let Some(silence) = self.note_success(now) {
                inner.machine.silence_ended(silence, now);
            }
            // A result that is good in every way never opens it.
            let cause = if failed || mark.slow { self.cause(&settings, &inner, now) } else { None };
            if let Some(cause) = cause {
                inner.machine.open(cause, asked, config, now, rng);
                self.next_generation(&inner, config);
            }
        }
        self.serve(&mut inner, &settings, now, rng, &mut effects);
        self.settle(&mut inner, &settings, now, &mut effects);
        effects
    }

    /// One more in the row, under the lock; it began when its first was sent.
    fn count_row(&self, sent: Instant) {
        if self.row.fetch_add(1, Ordering::Relaxed) == 0 {
            self.row_since.store(nanos(self.since_epoch(sent)), Ordering::Relaxed);
        }
    }

    /// Why it is to open, if it is.
    fn cause(&self, settings: &Settings, inner: &Inner, now: Instant) -> Option<Cause> {
        let config = &settings.config;
        let Sums { total, failed, slow } = settings.window.sums(self.since_epoch(now));
        let enough = total >= config.minimum;
        let reached = |rate: crate::Ratio, part: u32| rate.is_reached_by(part.into(), total.into());
        let row = self.row.load(Ordering::Relaxed);
        let is_row = match config.consecutive {
            Some(Consecutive::Always(most)) => row >= most,
            Some(Consecutive::BelowMinimum(most)) => !enough && row >= most,
            None => false,
        };
        let since = self.silent_since();
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
        probe: u32,
        verdict: Verdict,
        took: Duration,
        now: Instant,
        rng: &Rng,
    ) -> Effects {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if inner.machine.judge_probe(probe, verdict, took, &settings.config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.serve(&mut inner, &settings, now, rng, &mut effects);
        self.settle(&mut inner, &settings, now, &mut effects);
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

    fn close(&self, inner: &mut Inner, settings: &Settings, now: Instant) {
        let held = !inner.hold.is_empty();
        inner.machine.close(held, now);
        self.begin_anew(inner, settings);
    }

    /// Nothing is known of the calls to come.
    fn begin_anew(&self, inner: &Inner, settings: &Settings) {
        settings.window.clear();
        self.row.store(0, Ordering::Relaxed);
        self.next_generation(inner, &settings.config);
    }

    /// Lets those go who are held, as far as they may.
    fn serve(
        &self,
        inner: &mut Inner,
        settings: &Settings,
        now: Instant,
        rng: &Rng,
        effects: &mut Effects,
    ) {
        let passes_all = inner.mode(settings) == Mode::ReportOnly;
        while let Some(waiter) = match inner.machine.is_open() && !passes_all {
            true => inner.hold.next_probe(),
            false => inner.hold.first(),
        } {
            let ticket = match passes_all {
                true => Ticket::untracked(now),
                false => {
                    let config = &settings.config;
                    match inner.machine.admit(waiter.asker, false, config, now, rng) {
                        Ok(role) => self.ticket(inner, now, role),
                        Err(_) => break,
                    }
                }
            };
            inner.hold.remove(&waiter);
            effects.wakers.extend(waiter.grant(ticket));
        }
        if inner.hold.is_empty() {
            inner.machine.end_release();
        }
    }

    /// Notes what calls must ask for, and what others are to be told.
    fn settle(&self, inner: &mut Inner, settings: &Settings, now: Instant, effects: &mut Effects) {
        self.write_word(inner, &settings.config, self.generation());
        effects.changes.extend(inner.machine.untold(&settings.config, now));
    }

    fn next_generation(&self, inner: &Inner, config: &BreakerConfig) {
        self.write_word(inner, config, self.generation() + 1);
    }

    fn write_word(&self, inner: &Inner, config: &BreakerConfig, generation: u64) {
        let ask = if inner.machine.is_plain() { 0 } else { ASK };
        self.word.store(generation << FLAGS | ask | timed(config), Ordering::Release);
    }

    fn generation(&self) -> u64 {
        self.word.load(Ordering::Acquire) >> FLAGS
    }

    fn since_epoch(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }
}

// === those who are held ===

impl Gate {
    /// Lets those go whose time has come; when to look again, if somebody still waits.
    pub(super) fn look(&self, now: Instant, rng: &Rng) -> (Option<Instant>, Effects) {
        let (settings, mut effects) = (self.settings(), Effects::default());
        let mut inner = self.inner();
        if inner.machine.settle_answered(&settings.config, now) {
            self.close(&mut inner, &settings, now);
        }
        self.serve(&mut inner, &settings, now, rng, &mut effects);
        self.settle(&mut inner, &settings, now, &mut effects);
        let next = inner.hold.next_probe().map(|waiter| {
            let machine = &inner.machine;
            machine.next_look(waiter.asker, &settings.config, now)
        });
        inner.hold.is_watched = next.is_some();
        (next, effects)
    }

    /// The task that looked after those who are held is gone.
    pub(super) fn unwatch(&self) {
        self.inner().hold.is_watched = false;
    }

    /// Whether somebody must look after those who are held; whoever asks does.
    pub(super) fn must_watch(&self) -> bool {
        let mut inner = self.inner();
        !inner.hold.is_empty() && !std::mem::replace(&mut inner.hold.is_watched, true)
    }

    /// One who is held leaves.
    pub(super) fn leave(&self, waiter: &Waiter, now: Instant, rng: &Rng) -> Effects {
        self.inner().hold.remove(waiter);
        match waiter.take() {
            // It could have gone: another goes in its place.
            Some(ticket) => self.record(ticket, Verdict::Nothing, now, rng),
            None => Effects::default(),
        }
    }

    /// How many are held.
    pub(super) fn held(&self) -> usize {
        self.inner().hold.len()
    }
}

// === what a handle reads and does ===

impl Gate {
    pub(super) fn count_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    pub(super) fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(super) fn forcings(&self) -> u64 {
        self.forcings.load(Ordering::Relaxed)
    }

    pub(super) fn sums(&self, now: Instant) -> Sums {
        self.settings().window.sums(self.since_epoch(now))
    }

    pub(super) fn forced(&self) -> Forced {
        self.inner().machine.forced()
    }

    pub(super) fn mode(&self) -> Mode {
        self.inner().mode(&self.settings())
    }

    /// The state as callers see it.
    pub(super) fn state(&self, now: Instant) -> BreakerState {
        let settings = self.settings();
        self.inner().machine.state(&settings.config, now)
    }

    /// How long it hasn't been closed, as callers see it.
    pub(super) fn not_closed_for(&self, now: Instant) -> Option<Duration> {
        self.inner().machine.not_closed_for(now)
    }

    /// Whether it refuses calls, because the last that is known is that nothing answers.
    pub(super) fn is_down(&self, now: Instant) -> bool {
        let (settings, inner) = (self.settings(), self.inner());
        let acts = inner.mode(&settings) == Mode::Enforce;
        acts && inner.machine.is_down(&settings.config, now)
    }

    /// Whether another attempt of a call that has just failed would be refused, or is no help: so
    /// many have failed in a row that this one would, too.
    pub(super) fn discourages(&self) -> bool {
        let settings = self.settings();
        let row = self.row.load(Ordering::Relaxed);
        let hopeless = settings.config.hopeless_row().is_some_and(|most| row >= most);
        if !hopeless && self.passes_all() {
            return false;
        }
        let inner = self.inner();
        let acts =
            inner.mode(&settings) == Mode::Enforce && inner.machine.forced() != Forced::Closed;
        acts && (hopeless || inner.machine.is_open())
    }

    pub(super) fn force(&self, forced: Forced, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, _| {
            inner.machine.force(forced, now);
            if forced == Forced::No {
                inner.mode = None;
            }
        })
    }

    /// Opens until the time is over.
    pub(super) fn open_by_hand(&self, time: Duration, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, settings| {
            inner.machine.force(Forced::No, now);
            inner.machine.open_by_hand(time, now);
            self.next_generation(inner, &settings.config);
        })
    }

    /// Closed, with nothing remembered.
    pub(super) fn reset(&self, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, settings| {
            let held = !inner.hold.is_empty();
            inner.machine.reset(held, now);
            self.begin_anew(inner, settings);
        })
    }

    pub(super) fn set_mode(&self, mode: Mode, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, _| inner.mode = Some(mode))
    }

    fn change(
        &self,
        now: Instant,
        rng: &Rng,
        change: impl FnOnce(&mut Inner, &Settings),
    ) -> Effects {
        let (settings, mut effects) = (self.settings(), Effects::default());
        self.forcings.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.inner();
        change(&mut inner, &settings);
        self.serve(&mut inner, &settings, now, rng, &mut effects);
        self.settle(&mut inner, &settings, now, &mut effects);
        effects
    }

    /// Other settings from now on; the state stays, and so do the results if the window does.
    pub(super) fn reconfigure(&self, config: BreakerConfig, now: Instant, rng: &Rng) -> Effects {
        let mut effects = Effects::default();
        let mut inner = self.inner();
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        let before = &settings.config;
        let window = match before.window == config.window {
            true => Arc::clone(&settings.window),
            false => {
                self.row.store(0, Ordering::Relaxed);
                Arc::new(Window::new(config.window))
            }
        };
        if (before.probes, before.probe_successes) != (config.probes, config.probe_successes) {
            inner.machine.recount(config.probes);
        }
        *settings = Arc::new(Settings { config, window });
        let settings_now = Arc::clone(&settings);
        drop(settings);
        self.serve(&mut inner, &settings_now, now, rng, &mut effects);
        self.settle(&mut inner, &settings_now, now, &mut effects);
        effects
    }
}

impl Inner {
    fn mode(&self, settings: &Settings) -> Mode {
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

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Set where calls must ask whether they may pass.
const ASK: u64 = 0b01;
/// Set where every call needs to know the time.
const TIMED: u64 = 0b10;
/// So many failures in a row are hardly chance: a silence with fewer is a lack of calls.
const MANY: u32 = 10;
/// How many bits the flags take.
const FLAGS: u32 = 2;
