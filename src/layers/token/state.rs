//! What is known of one token, and what follows from it. No clock, no lock, no I/O.
//!
//! | state | a caller gets | moves on |
//! |---|---|---|
//! | `Empty` | waits for the fetch that it begins or joins | token → `Fresh`; error → `Failing` |
//! | `Fresh` | the token | its soft time → `Soft` |
//! | `Soft` | the token, at once; one fetch begins, unless one runs or a back-off lasts | token → `Fresh`; error → `Soft` with a back-off; its hard time → `Hard` |
//! | `Hard` | waits for the fetch that it begins or joins | token → `Fresh`; error → `Failing` |
//! | `Failing` | the recorded error, until the back-off ends; then as `Empty` | token → `Fresh` |
//! | `Refused` | as `Hard`; the old token is kept for comparison only | token → `Fresh`; error → `Failing` for callers |
//! | `Expired` | the ended token, at once, while the issuer is down and the setting allows it; as `Soft` | token → `Fresh`; the setting's limit → `Failing` |
//!
//! A token is kept until its successor is there, whatever happens to the fetch.

use std::time::{Duration, Instant, SystemTime};

use super::config::TokenConfig;
use super::error::TokenError;
use super::forced::Forced;
use super::issuer::{Lifetime, TokenReason};
use super::windows::{Now, Windows};
use crate::rt::{self, Rng};
use crate::terms::{TokenFailure, TokenState};

/// The state of one token.
#[derive(Debug)]
pub(super) struct Machine<T> {
    config: TokenConfig,
    held: Option<Held<T>>,
    flight: Option<Running>,
    flights: u64,
    failure: Option<Failure>,
    forced: Option<Forced>,
}

/// A fetch that runs.
#[derive(Debug)]
struct Running {
    number: u64,
    reason: TokenReason,
    /// What it brings isn't wanted any more.
    is_void: bool,
}

#[derive(Debug)]
struct Held<T> {
    token: T,
    generation: u64,
    /// Since when it is the current one, or was confirmed after a refusal.
    born: Instant,
    soft: Now,
    /// Absent if nobody knows when it ends.
    hard: Option<Now>,
    window: Duration,
    /// It was not made when it was given: its youth says nothing.
    is_kept: bool,
    is_refused: bool,
}

#[derive(Debug)]
struct Failure {
    error: TokenError,
    until: Instant,
    in_row: u32,
    /// There was a token to send all the same.
    is_harmless: bool,
}

/// A fetch that the one who is told must begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) number: u64,
    pub(super) reason: TokenReason,
}

/// What a caller gets.
#[derive(Debug)]
pub(super) enum Ask<T> {
    Use {
        token: T,
        generation: u64,
        /// How long ago it ended, if it did.
        ended_for: Option<Duration>,
        begin: Option<Flight>,
    },
    Wait {
        begin: Option<Flight>,
    },
    Fail {
        error: TokenError,
        retry_after: Duration,
    },
}

/// A fetch's result.
#[derive(Clone, Debug)]
pub(super) struct Issued<T> {
    pub(super) token: T,
    pub(super) lifetime: Lifetime,
    /// When its request was sent.
    pub(super) sent: Now,
}

/// What the end of a fetch has changed.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Refreshed { generation: u64, lifetime: Option<Duration> },
    Failed { error: TokenError, retry_in: Duration, served_for: Option<Duration> },
}

/// What follows from a refusal of a token by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request may be sent again: with a newer token that is there, or after this fetch.
    Repeat { begin: Option<Flight> },
    /// The answer is the caller's: another token would not help, or it is too early for one.
    Answer,
}

impl<T: Clone + PartialEq> Machine<T> {
    pub(super) fn new(config: TokenConfig) -> Self {
        Self { config, held: None, flight: None, flights: 0, failure: None, forced: None }
    }

    pub(super) fn config(&self) -> &TokenConfig {
        &self.config
    }

    /// Other settings. The present token's windows stay: they were counted when it came.
    pub(super) fn reconfigure(&mut self, config: TokenConfig) {
        self.config = config;
    }

    pub(super) fn ask(&mut self, now: Now) -> Ask<T> {
        if let Some(held) = self.sent(now) {
            let (token, generation) = (held.token.clone(), held.generation);
            let ended_for = held.hard.and_then(|hard| hard.since(now));
            let is_wanted = held.soft.has_come(now);
            let begin = is_wanted.then(|| self.try_again(now)).flatten();
            return Ask::Use { token, generation, ended_for, begin };
        }
        if self.flight.is_some() {
            return Ask::Wait { begin: None };
        }
        match self.backing_off(now.at) {
            Some((error, retry_after)) => Ask::Fail { error: error.clone(), retry_after },
            None => Ask::Wait { begin: self.begin(now) },
        }
    }

    /// Begins a fetch, unless one runs.
    pub(super) fn begin(&mut self, now: Now) -> Option<Flight> {
        if self.flight.is_some() {
            return None;
        }
        let reason = match &self.held {
            None => TokenReason::First,
            Some(held) if held.is_refused => TokenReason::Refused,
            Some(held) if held.is_usable(now) => TokenReason::Ahead,
            Some(_) => TokenReason::Expired,
        };
        self.flights += 1;
        self.flight = Some(Running { number: self.flights, reason, is_void: false });
        Some(Flight { number: self.flights, reason })
    }

    /// Begins a fetch, unless one runs or a back-off lasts.
    pub(super) fn try_again(&mut self, now: Now) -> Option<Flight> {
        match self.backing_off(now.at) {
            Some(_) => None,
            None => self.begin(now),
        }
    }

    /// A fetch has ended; `None` if it isn't the one that runs, or nobody wants what it brings.
    pub(super) fn end(
        &mut self,
        flight: u64,
        outcome: Result<Issued<T>, TokenError>,
        now: Now,
        rng: &Rng,
    ) -> Option<Ended> {
        let running = self.flight.take_if(|running| running.number == flight)?;
        if running.is_void {
            return None;
        }
        match outcome.and_then(|issued| self.accept(issued, running.reason, now, rng)) {
            Ok((generation, lifetime)) => {
                self.failure = None;
                Some(Ended::Refreshed { generation, lifetime })
            }
            Err(error) => Some(self.fail(error, now, rng)),
        }
    }

    /// The provider refused the token of this generation.
    pub(super) fn refuse(&mut self, generation: u64, now: Now) -> Refusal {
        let is_backing_off = self.backing_off(now.at).is_some();
        let Some(held) = &mut self.held else { return Refusal::Answer };
        if held.generation != generation {
            // It was replaced meanwhile.
            return match held.is_usable(now) || !is_backing_off {
                true => Refusal::Repeat { begin: None },
                false => Refusal::Answer,
            };
        }
        if held.has_ended(now) {
            // The provider has seen that it has ended, so it isn't sent any more.
            held.is_refused = true;
        }
        let age = now.at.saturating_duration_since(held.born);
        let is_newborn = age < NEWBORN && !held.is_kept;
        // A back-off that runs isn't broken: the issuer needs it.
        if is_backing_off || is_newborn && !held.is_refused {
            return Refusal::Answer;
        }
        if self.flight.is_some() || held.is_refused {
            held.is_refused = true;
            return Refusal::Repeat { begin: self.begin(now) };
        }
        let Some(forced) = Forced::after(self.forced, now.at) else { return Refusal::Answer };
        held.is_refused = true;
        self.forced = Some(forced);
        Refusal::Repeat { begin: self.begin(now) }
    }

    /// The present token isn't sent any more, nor what a running fetch brings; a back-off ends.
    pub(super) fn invalidate(&mut self) {
        self.failure = None;
        if let Some(held) = &mut self.held {
            held.is_refused = true;
        }
        if let Some(running) = &mut self.flight {
            running.is_void = true;
        }
    }

    pub(super) fn is_fetching(&self) -> bool {
        self.flight.is_some()
    }

    pub(super) fn state(&self, now: Now) -> TokenState {
        let is_failing = self.failure.is_some();
        match &self.held {
            Some(held) if held.is_refused => TokenState::Refused,
            Some(held) if held.is_usable(now) && held.soft.has_come(now) => TokenState::Soft,
            Some(held) if held.is_usable(now) => TokenState::Fresh,
            _ if self.sent(now).is_some() => TokenState::Expired,
            _ if is_failing => TokenState::Failing,
            Some(_) => TokenState::Hard,
            None => TokenState::Empty,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.generation)
    }

    /// From when on the token isn't sent any more, by the wall clock.
    pub(super) fn ends(&self) -> Option<SystemTime> {
        Some(self.held.as_ref()?.hard?.wall)
    }

    /// The error of the last fetch, if it failed.
    pub(super) fn error(&self) -> Option<&TokenError> {
        self.failure.as_ref().map(|failure| &failure.error)
    }

    /// Takes a token over, or says why it is none.
    fn accept(
        &mut self,
        issued: Issued<T>,
        reason: TokenReason,
        now: Now,
        rng: &Rng,
    ) -> Result<(u64, Option<Duration>), TokenError> {
        let Issued { token, lifetime, sent } = issued;
        let known = lifetime.at(sent.wall);
        let windows = match (known, lifetime) {
            (Some(known), _) => Windows::of(known, &self.config).ok_or_else(TokenError::ended)?,
            (None, Lifetime::RenewAfter(time)) => Windows::renewed_after(time),
            (None, _) => Windows::renewed_after(ASSUMED),
        };
        let hard = known.map(|_| sent.after(windows.hard));
        if hard.is_some_and(|hard| hard.has_come(now)) {
            return Err(TokenError::ended());
        }
        let mut held = Held {
            token,
            generation: 1,
            born: now.at,
            soft: sent.after(windows.soft(rng)),
            hard,
            window: windows.window,
            is_kept: matches!(lifetime, Lifetime::RenewAfter(_)),
            is_refused: false,
        };
        if let Some(before) = &self.held {
            held.follow(before, reason, now);
        }
        if held.soft.at < rt::after(now.at, MIN_WAIT) {
            held.soft = now.after((held.window / 4).max(MIN_WAIT));
        }
        let generation = held.generation;
        self.held = Some(held);
        Ok((generation, known))
    }

    fn fail(&mut self, error: TokenError, now: Now, rng: &Rng) -> Ended {
        let usable = self.held.as_ref().filter(|held| held.is_usable(now));
        let is_harmless = usable.is_some();
        // The first one that callers feel begins a row of its own: they wait for the issuer's first answer.
        let row = self.failure.as_ref().filter(|failure| failure.is_harmless == is_harmless);
        let in_row = row.map_or(0, |failure| failure.in_row);
        let lives = usable.and_then(|held| held.hard).map(|hard| hard.left(now));
        let retry_in = match (error.retry_after(), error.failure()) {
            (Some(asked), _) => asked.clamp(MIN_WAIT, LONGEST_ASKED),
            (None, TokenFailure::Transient) => {
                let most = FIRST_WAIT.saturating_mul(1 << in_row.min(5)).min(LONGEST_WAIT);
                // So that a few tries fit before the token ends.
                let most = lives.map_or(most, |left| most.min(left / 4));
                rng.between(MIN_WAIT, most)
            }
            (None, _) => rng.between(SETTLED_WAIT / 2, SETTLED_WAIT / 2 * 3),
        };
        let until = rt::after(now.at, retry_in);
        let in_row = in_row + 1;
        self.failure = Some(Failure { error: error.clone(), until, in_row, is_harmless });
        let end = self.sent(now).and_then(|held| self.last_moment(held));
        let served_for = end.map(|end| end.left(now));
        Ended::Failed { error, retry_in, served_for }
    }

    /// The token that is sent, if there is one.
    fn sent(&self, now: Now) -> Option<&Held<T>> {
        let held = self.held.as_ref().filter(|held| !held.is_refused)?;
        let is_over = self.last_moment(held).is_some_and(|end| end.has_come(now));
        let is_down = || self.failure.as_ref().is_some_and(|failure| failure.says_down(now.at));
        (!held.has_ended(now) || !is_over && is_down()).then_some(held)
    }

    /// Until when the token is sent at the longest; `None` if nobody knows its end.
    fn last_moment(&self, held: &Held<T>) -> Option<Now> {
        let is_settled = self.failure.as_ref().is_some_and(Failure::is_settled);
        let longer = self.config.serve_expired.filter(|_| !is_settled).unwrap_or_default();
        Some(held.hard?.after(longer))
    }

    /// The error of a back-off that runs, and how long it still does.
    fn backing_off(&self, now: Instant) -> Option<(&TokenError, Duration)> {
        let failure = self.failure.as_ref().filter(|failure| failure.until > now)?;
        Some((&failure.error, failure.until - now))
    }
}

impl<T: PartialEq> Held<T> {
    /// It takes the place of `before`, which may be the same token, and was asked for for this reason.
    fn follow(&mut self, before: &Self, reason: TokenReason, now: Now) {
        let is_same = before.token == self.token;
        self.generation = before.generation + u64::from(!is_same);
        if is_same && !before.is_refused {
            self.born = before.born;
        }
        // An issuer that keeps tokens was asked before this one was refused, and didn't know.
        self.is_refused = is_same && before.is_refused && reason != TokenReason::Refused;
        let progress = PROGRESS.min(self.window);
        if let (Some(old), Some(new)) = (before.hard, self.hard)
            && !old.has_come(now)
            && new.at <= rt::after(old.at, progress)
            && old.at <= rt::after(new.at, progress)
        {
            // The issuer gives what it has kept: no failure, and no progress either.
            self.window = before.window;
            self.soft = now.after(self.window / 4);
        }
    }
}

impl<T> Held<T> {
    fn is_usable(&self, now: Now) -> bool {
        !self.is_refused && !self.has_ended(now)
    }

    fn has_ended(&self, now: Now) -> bool {
        self.hard.is_some_and(|hard| hard.has_come(now))
    }
}

impl Failure {
    fn is_settled(&self) -> bool {
        self.error.failure() != TokenFailure::Transient
    }

    /// Whether it is recent enough to say that the issuer is down. Without calls, nobody asks it.
    fn says_down(&self, now: Instant) -> bool {
        !self.is_settled() && now < rt::after(self.until, LONGEST_WAIT)
    }
}

/// A token that is refused so soon was refused for another reason than its age.
pub(super) const NEWBORN: Duration = Duration::from_secs(60);
/// An issuer that keeps its answers names the same end again, give or take a rounding.
const PROGRESS: Duration = Duration::from_secs(1);
/// After how long a token of unknown lifetime is renewed.
const ASSUMED: Duration = Duration::from_secs(300);
/// Back-off: full jitter of the first, doubled with each failure in a row, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Keeps full jitter, and a token that is about to end, from a busy loop.
const MIN_WAIT: Duration = Duration::from_millis(100);
/// The longest wait that an issuer may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// After an error that only people can end: secrets get rotated while a service runs.
const SETTLED_WAIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
