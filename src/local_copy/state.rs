//! What is known of one copy, and what follows from it. No clock, no lock, no I/O.
//!
//! | state | a reader gets | moves on |
//! |---|---|---|
//! | `Empty` | an error | load or snapshot → by its age |
//! | `Current` | the copy | two intervals old → `Late`; its largest age → `Expired` |
//! | `Late` | the copy | load → `Current`; its largest age → `Expired` |
//! | `Expired` | an error that says since when | load → `Current` |
//!
//! A load that fails changes none of this: it only sets when the next one begins.

use std::time::{Duration, SystemTime};

use super::load_error::{Problem, Refused};
use crate::freshness::Moments;
use crate::rt::Rng;
use crate::terms::local_copy::CopyState;

/// The state of one copy, whose value is a `V`.
#[derive(Debug)]
pub(super) struct Machine<V> {
    times: Times,
    held: Option<Held<V>>,
    due: Due,
    is_loading: bool,
    /// Somebody wants a load before it is due.
    is_asked: bool,
    failure: Option<Failure>,
    /// Somebody has looked at what was refused: it isn't put before the guard again.
    accepted: Option<Accepted>,
    /// What the subscribers know.
    told: CopyState,
}

/// The settings that a machine follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// From the begin of one load to that of the next.
    pub(super) every: Duration,
    /// How old a copy may be; absent: as old as it gets.
    pub(super) max_age: Option<Duration>,
}

#[derive(Debug)]
struct Held<V> {
    value: V,
    count: u64,
    /// Its age at the moment `since`.
    age_then: Duration,
    since: Moments,
    is_from_snapshot: bool,
}

/// A copy, as it is at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen<V> {
    pub(super) value: V,
    pub(super) count: u64,
    pub(super) age: Duration,
    /// When the load began that was the last to succeed.
    pub(super) loaded: SystemTime,
    pub(super) is_from_snapshot: bool,
}

/// When the next load begins.
#[derive(Clone, Copy, Debug)]
struct Due {
    wait: Duration,
    from: Moments,
}

#[derive(Debug)]
struct Failure {
    problem: Problem,
    in_row: u32,
}

/// What may pass the guard, by whom, and why.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) what: Refused,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) at: Moments,
}

impl<V: Clone> Machine<V> {
    /// A machine whose first load is due.
    pub(super) fn new(times: Times, now: Moments) -> Self {
        let due = Due { wait: Duration::ZERO, from: now };
        Self {
            times,
            held: None,
            due,
            is_loading: false,
            is_asked: false,
            failure: None,
            accepted: None,
            told: CopyState::Empty,
        }
    }

    /// The copy, also if it has expired.
    pub(super) fn seen(&self, now: Moments) -> Option<Seen<V>> {
        let held = self.held.as_ref()?;
        let ago = held.age_then;
        Some(Seen {
            value: held.value.clone(),
            count: held.count,
            age: held.age(now),
            loaded: held.since.wall.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH),
            is_from_snapshot: held.is_from_snapshot,
        })
    }

    pub(super) fn state(&self, now: Moments) -> CopyState {
        let Some(held) = &self.held else { return CopyState::Empty };
        let age = held.age(now);
        match age {
            _ if self.times.max_age.is_some_and(|most| age >= most) => CopyState::Expired,
            _ if age >= self.times.late() => CopyState::Late,
            _ => CopyState::Current,
        }
    }

    /// Since when this copy is older than it may be.
    pub(super) fn expired_since(&self, seen: &Seen<V>, now: Moments) -> SystemTime {
        let over = seen.age.saturating_sub(self.times.max_age.unwrap_or(Duration::MAX));
        now.wall.checked_sub(over).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The state, if it has become worse by itself since the last look.
    pub(super) fn worsened(&mut self, now: Moments) -> Option<CopyState> {
        let state = self.state(now);
        let is_worse =
            state != self.told && !matches!(state, CopyState::Empty | CopyState::Current);
        self.told = state;
        is_worse.then_some(state)
    }

    /// How long it is until the state becomes worse by itself.
    pub(super) fn worsens_in(&self, now: Moments) -> Option<Duration> {
        let age = self.held.as_ref()?.age(now);
        let ends = [Some(self.times.late()), self.times.max_age];
        ends.into_iter().flatten().filter(|end| *end > age).map(|end| end - age).min()
    }

    /// How long it is until a load should begin.
    pub(super) fn due_in(&self, now: Moments) -> Duration {
        match self.is_asked {
            true => Duration::ZERO,
            false => self.due.wait.saturating_sub(now.since(&self.due.from)),
        }
    }

    /// A load is wanted now. The one that runs is as good.
    pub(super) fn ask(&mut self) {
        self.is_asked = !self.is_loading;
    }

    pub(super) fn begin(&mut self) {
        (self.is_loading, self.is_asked) = (true, false);
    }

    /// Takes what the last process knew, unless there is more by now. Returns its age. If it is of the future,
    /// a clock was wrong, and it may be of any age.
    pub(super) fn restore(
        &mut self,
        value: V,
        count: u64,
        loaded: SystemTime,
        now: Moments,
    ) -> Duration {
        let age = now.wall.duration_since(loaded).unwrap_or(self.times.unknown_age());
        let is_from_snapshot = true;
        let held = Held { value, count, age_then: age, since: now, is_from_snapshot };
        self.held.get_or_insert(held);
        age
    }

    /// A load that began then has succeeded; without a value, nothing has changed. Returns the value that
    /// was replaced, for the caller to drop.
    pub(super) fn loaded(
        &mut self,
        new: Option<(V, u64)>,
        began: Moments,
        now: Moments,
        rng: &Rng,
    ) -> Option<V> {
        self.is_loading = false;
        (self.failure, self.accepted, self.told) = (None, None, CopyState::Current);
        let tenth = self.times.every / 10;
        let wait = rng.between(self.times.every - tenth, self.times.every.saturating_add(tenth));
        self.due = Due { wait, from: began };
        // What was loaded is at least as old as the request for it.
        let (age_then, since) = (now.since(&began), now);
        match (new, &mut self.held) {
            (Some((value, count)), held) => {
                let new = Held { value, count, age_then, since, is_from_snapshot: false };
                held.replace(new).map(|old| old.value)
            }
            (None, Some(held)) => {
                (held.age_then, held.since) = (age_then, since);
                held.is_from_snapshot = false;
                None
            }
            (None, None) => None,
        }
    }

    /// A load came to nothing. Returns after which time the next one begins.
    pub(super) fn failed(&mut self, problem: Problem, now: Moments, rng: &Rng) -> Duration {
        self.is_loading = false;
        if let Some(refused) = &problem.refused {
            // Another one than the person has seen.
            self.accepted.take_if(|accepted| accepted.what != *refused);
        }
        let in_row = self.failure.as_ref().map_or(0, |failure| failure.in_row);
        let most = FIRST_WAIT.saturating_mul(1 << in_row.min(MOST_DOUBLED)).min(self.times.every);
        let wait = rng.between(SHORTEST_WAIT.min(most), most);
        self.failure = Some(Failure { problem, in_row: in_row.saturating_add(1) });
        self.due = Due { wait, from: now };
        wait
    }

    /// Why the last load came to nothing, if it did.
    pub(super) fn problem(&self) -> Option<&Problem> {
        self.failure.as_ref().map(|failure| &failure.problem)
    }

    /// Lets what was refused last pass the guard, and begins a load; false if the guard didn't refuse the last
    /// one.
    pub(super) fn accept(&mut self, who: &str, why: &str, now: Moments) -> bool {
        let refused = self.problem().and_then(|problem| problem.refused.clone());
        let Some(what) = refused else { return false };
        self.accepted = Some(Accepted { what, who: who.into(), why: why.into(), at: now });
        self.ask();
        true
    }

    /// Takes it back.
    pub(super) fn accept_no_more(&mut self) {
        self.accepted = None;
    }

    /// What somebody lets pass, unless that was too long ago.
    pub(super) fn accepted(&self, now: Moments) -> Option<&Accepted> {
        self.accepted.as_ref().filter(|accepted| now.since(&accepted.at) < ACCEPTED_FOR)
    }
}

impl Times {
    /// The age of a copy whose age nobody knows: late, or expired where copies do.
    pub(super) fn unknown_age(self) -> Duration {
        self.max_age.unwrap_or(self.late())
    }

    /// The age from which on a copy is late.
    fn late(self) -> Duration {
        self.every.saturating_mul(2)
    }
}

impl<V> Held<V> {
    fn age(&self, now: Moments) -> Duration {
        self.age_then.saturating_add(now.since(&self.since))
    }
}

/// Who accepts knows the provider of now, not that of tonight.
const ACCEPTED_FOR: Duration = Duration::from_secs(600);
/// Back-off: full jitter of the first, doubled with each failure in a row, up to the interval.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Keeps full jitter from a busy loop. No interval is shorter.
pub(super) const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// Some centuries: the interval is what bounds it.
const MOST_DOUBLED: u32 = 31;

#[cfg(test)]
mod tests;
