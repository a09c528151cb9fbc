use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::script::{ALLOWED_A_SECOND, GOOD_IN_BROWNOUT, Phase};

/// What a provider knows of its customers' calls, and how much it has taken on.
pub(crate) struct Books {
    pub(crate) requests_while_down: u64,
    pub(crate) requests_in_the_worst_second: u32,
    /// How often each order was charged.
    charges: HashMap<String, u32>,
    keys: HashSet<String>,
    second: Second,
    /// When all that was taken on so far will be done, since the beginning.
    busy_until: Duration,
    chance: SmallRng,
}

/// Requests in one second.
#[derive(Default)]
struct Second {
    number: u64,
    requests: u32,
    under_the_limit: u32,
}

/// Whether a request is worked on.
pub(crate) enum Admission {
    /// After this wait, with this end.
    Taken(Duration, Fate),
    /// The caller sends too many.
    Limited,
    /// The queue is too long.
    TurnedAway,
}

/// What comes of a request that is worked on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Done, and said so.
    Done,
    /// Done, and told as a failure.
    DoneButFailed,
    /// A failure.
    Nothing,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            requests_while_down: 0,
            requests_in_the_worst_second: 0,
            charges: HashMap::new(),
            keys: HashSet::new(),
            second: Second::default(),
            busy_until: Duration::ZERO,
            // The same chance for every client.
            chance: SmallRng::seed_from_u64(1),
        }
    }
}

impl Books {
    pub(crate) fn count(&mut self, now: Duration, phase: Phase) {
        self.requests_while_down += u64::from(phase == Phase::Down);
        if self.second.number != now.as_secs() {
            self.second = Second { number: now.as_secs(), ..Second::default() };
        }
        self.second.requests += 1;
        self.requests_in_the_worst_second =
            self.requests_in_the_worst_second.max(self.second.requests);
    }

    /// Charges, unless the key was seen before: then the earlier charge is the answer.
    pub(crate) fn charge(&mut self, order: &str, key: Option<String>) {
        if key.is_none_or(|key| self.keys.insert(key)) {
            *self.charges.entry(order.to_owned()).or_default() += 1;
        }
    }

    /// Orders that were charged more than once.
    pub(crate) fn charged_twice(&self) -> usize {
        self.charges.values().filter(|charges| **charges > 1).count()
    }

    /// Takes a request on, as far as there is capacity for it.
    pub(crate) fn admit(&mut self, now: Duration, phase: Phase) -> Admission {
        if phase == Phase::RateLimited {
            self.second.under_the_limit += 1;
            if self.second.under_the_limit > ALLOWED_A_SECOND {
                return Admission::Limited;
            }
        }
        let work = Duration::from_secs_f64(1.0 / phase.capacity());
        let wait = self.busy_until.saturating_sub(now);
        if wait > LONGEST_QUEUE {
            self.busy_until += work / TURNING_AWAY;
            return Admission::TurnedAway;
        }
        self.busy_until = self.busy_until.max(now) + work;
        Admission::Taken(wait, self.fate(phase))
    }

    /// In the brownout half fail, and half of the failures come after the work was done.
    fn fate(&mut self, phase: Phase) -> Fate {
        match phase {
            Phase::Brownout if !self.chance.random_bool(GOOD_IN_BROWNOUT) => {
                if self.chance.random_bool(0.5) { Fate::DoneButFailed } else { Fate::Nothing }
            }
            _ => Fate::Done,
        }
    }
}

/// Work that would have to wait longer is turned away.
const LONGEST_QUEUE: Duration = Duration::from_millis(300);
/// Turning a request away costs half of an answer: it was accepted, read and checked before.
const TURNING_AWAY: u32 = 2;
