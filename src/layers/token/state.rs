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
//!
//! A token is kept until its successor is there, whatever happens to the fetch.

use std::time::{Duration, Instant, SystemTime};

use super::error::TokenError;
use super::forced::Forced;
use super::issuer::{Lifetime, TokenReason};
use super::windows::{Now, Windows};
use crate::rt::{self, Rng};
use crate::terms::{TokenFailure, TokenState};

/// The state of one token.
#[derive(Debug)]
pub(super) struct Machine<T> {
    held: Option<Held<T>>,
    /// The number of the fetch that runs.
    flight: Option<u64>,
    flights: u64,
    failure: Option<Failure>,
    forced: Option<Forced>,
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
    Use { token: T, generation: u64, begin: Option<Flight> },
    Wait { begin: Option<Flight> },
    Fail { error: TokenError, retry_after: Duration },
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
    pub(super) fn new() -> Self {
        Self { held: None, flight: None, flights: 0, failure: None, forced: None }
    }

    pub(super) fn ask(&mut self, now: Now) -> Ask<T> {
        if let Some(held) = self.held.as_ref().filter(|held| held.is_usable(now)) {
            let (token, generation) = (held.token.clone(), held.generation);
            let is_wanted = held.soft.has_come(now) && self.backing_off(now.at).is_none();
            let begin = is_wanted.then(|| self.begin(now)).flatten();
            return Ask::Use { token, generation, begin };
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
        self.flight = Some(self.flights);
        Some(Flight { number: self.flights, reason })
    }

    /// A fetch has ended; `None` if it isn't the one that runs.
    pub(super) fn end(
        &mut self,
        flight: u64,
        outcome: Result<Issued<T>, TokenError>,
        now: Now,
        rng: &Rng,
    ) -> Option<Ended> {
        self.flight.take_if(|running| *running == flight)?;
        match outcome.and_then(|issued| self.accept(issued, now, rng)) {
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

    pub(super) fn state(&self, now: Now) -> TokenState {
        let is_failing = self.failure.is_some();
        match &self.held {
            Some(held) if held.is_refused => TokenState::Refused,
            Some(held) if held.is_usable(now) && held.soft.has_come(now) => TokenState::Soft,
            Some(held) if held.is_usable(now) => TokenState::Fresh,
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
        now: Now,
        rng: &Rng,
    ) -> Result<(u64, Option<Duration>), TokenError> {
        let Issued { token, lifetime, sent } = issued;
        let known = lifetime.at(sent.wall);
        let windows = match (known, lifetime) {
            (Some(known), _) => Windows::of(known).ok_or_else(TokenError::ended)?,
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
            held.follow(before, now);
        }
        if held.soft.at < rt::after(now.at, MIN_WAIT) {
            held.soft = now.after((held.window / 4).max(MIN_WAIT));
        }
        let generation = held.generation;
        self.held = Some(held);
        Ok((generation, known))
    }

    fn fail(&mut self, error: TokenError, now: Now, rng: &Rng) -> Ended {
        let in_row = self.failure.as_ref().map_or(0, |failure| failure.in_row);
        let usable = self.held.as_ref().filter(|held| held.is_usable(now));
        let served_for = usable.and_then(|held| held.hard).map(|hard| hard.left(now));
        let retry_in = match (error.retry_after(), error.failure()) {
            (Some(asked), _) => asked.clamp(MIN_WAIT, LONGEST_ASKED),
            (None, TokenFailure::Transient) => {
                let most = FIRST_WAIT.saturating_mul(1 << in_row.min(5)).min(LONGEST_WAIT);
                // So that a few tries fit before the token ends.
                let most = served_for.map_or(most, |left| most.min(left / 4));
                rng.between(MIN_WAIT, most)
            }
            (None, _) => rng.between(SETTLED_WAIT / 2, SETTLED_WAIT / 2 * 3),
        };
        let until = rt::after(now.at, retry_in);
        self.failure = Some(Failure { error: error.clone(), until, in_row: in_row + 1 });
        Ended::Failed { error, retry_in, served_for }
    }

    /// The error of a back-off that runs, and how long it still does.
    fn backing_off(&self, now: Instant) -> Option<(&TokenError, Duration)> {
        let failure = self.failure.as_ref().filter(|failure| failure.until > now)?;
        Some((&failure.error, failure.until - now))
    }
}

impl<T: PartialEq> Held<T> {
    /// It takes the place of `before`, which may be the same token.
    fn follow(&mut self, before: &Self, now: Now) {
        let is_same = before.token == self.token;
        self.generation = before.generation + u64::from(!is_same);
        if is_same && !before.is_refused {
            self.born = before.born;
        }
        if let (Some(old), Some(new)) = (before.hard, self.hard)
            && !old.has_come(now)
            && new.at <= rt::after(old.at, PROGRESS.min(self.window))
        {
            // The issuer gives what it has kept: no failure, and no progress either.
            (self.hard, self.window) = (Some(old), before.window);
            self.soft = now.after(self.window / 4);
        }
    }
}

impl<T> Held<T> {
    fn is_usable(&self, now: Now) -> bool {
        !self.is_refused && !self.hard.is_some_and(|hard| hard.has_come(now))
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
