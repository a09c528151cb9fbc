//! What a world with a cache is: plain data, drawn from one seed.

use std::time::Duration;

use outrigger::cache::CacheOutcome;

use crate::clock::{millis, secs};
use crate::provider::chance::Chance;
use crate::provider::plan::{Mode, Plan};

#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) seed: u64,
    pub(super) plan: Plan,
    pub(super) attempts: u32,
    /// Fresh for, stale while revalidate, stale if error, in seconds.
    pub(super) windows: [u64; 3],
    /// Of each path.
    pub(super) claims: [Claim; PATHS],
    /// By how many seconds the provider's clock is wrong.
    pub(super) skew: i64,
    pub(super) age: Option<&'static str>,
    pub(super) visits: Vec<Visit>,
}

/// What the provider says of an answer's lifetime, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Nothing,
    NoStore,
    MaxAge(u64),
    /// A point in time by its own clock.
    Expires(u64),
    /// A lifetime, and both windows.
    Windows(u64, u64, u64),
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) at: Duration,
    pub(super) who: Who,
    what: usize,
    pub(super) writes: bool,
    pub(super) leaves_after: Option<Duration>,
}

/// Who calls, and how that is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    /// By the partition's name.
    Tenant(u64),
    /// By a credential.
    Token(u64),
}

impl Spec {
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let lifetimes = [0, 1, 5, 30];
        let claim = |chance: &mut Chance| {
            let [one, two, three] = [(); 3].map(|()| chance.pick(&lifetimes));
            match chance.between(0, 5) {
                0 => Claim::Nothing,
                1 => Claim::NoStore,
                2 => Claim::MaxAge(one),
                3 => Claim::Expires(one),
                _ => Claim::Windows(one, two, three),
            }
        };
        let claims = [(); PATHS].map(|()| claim(&mut chance));
        Self {
            seed,
            plan: plan(&mut chance),
            attempts: chance.pick(&[1, 2]),
            windows: [(); 3].map(|()| chance.pick(&lifetimes)),
            claims,
            skew: chance.pick(&[0, 0, -3_600, 3_600, -10]),
            age: chance.pick(&[None, None, Some("20"), Some("-5"), Some("soon")]),
            visits: visits(&mut chance),
        }
    }

    pub(super) fn claim(&self, path: &str) -> Claim {
        let number: usize = path[1..].parse().expect("a number");
        self.claims[number]
    }

    /// How old an answer may be that a cache gave in this way, if the provider is believed.
    pub(super) fn oldest(&self, claim: Claim, outcome: CacheOutcome) -> Duration {
        let [fresh_for, revalidate, if_error] = self.windows;
        let (lifetime, revalidate, told) = match claim {
            Claim::Nothing => (fresh_for, revalidate, 0),
            Claim::NoStore => (0, 0, 0),
            Claim::MaxAge(time) | Claim::Expires(time) => (time, revalidate, 0),
            Claim::Windows(time, revalidate, if_error) => (time, revalidate, if_error),
        };
        secs(match outcome {
            CacheOutcome::Hit => lifetime,
            CacheOutcome::StaleWhileRevalidate => lifetime + revalidate,
            CacheOutcome::StaleIfError => lifetime + if_error.max(told),
            // It may have been made before this call, by a fetch that others had begun.
            CacheOutcome::Collapsed => 8,
            _ => 0,
        })
    }
}

impl Visit {
    pub(super) fn path(&self) -> String {
        format!("/{}", self.what)
    }
}

impl Who {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tenant(number) => format!("tenant-{number}"),
            Self::Token(number) => format!("token-{number}"),
        }
    }
}

/// Phases in which all requests at one time have the same fate, so that a call's can be compared.
fn plan(chance: &mut Chance) -> Plan {
    let mut plan = Plan::new(chance.next())
        .service_time(chance.pick(&[millis(1), millis(20), millis(80)]))
        .frames(chance.pick(&[0, 1, 3]));
    for _ in 0..chance.between(1, 5) {
        let mode = match chance.between(0, 7) {
            0..=2 => Mode::Ok,
            3 => Mode::Unavailable { retry_after: None },
            4 => Mode::Reset,
            5 => Mode::Refuse,
            6 => Mode::Stuck,
            _ => Mode::Slow { answer: chance.time(millis(100), secs(2)) },
        };
        plan = plan.then(mode, chance.time(secs(1), secs(40)));
    }
    plan
}

fn visits(chance: &mut Chance) -> Vec<Visit> {
    let mut at = Duration::ZERO;
    let writing = chance.pick(&[0.0, 0.05, 0.2]);
    let fickle = chance.pick(&[0.0, 0.0, 0.2]);
    let most = chance.pick(&[millis(50), secs(1), secs(5)]);
    (0..chance.between(10, 60))
        .map(|_| {
            at += chance.time(Duration::ZERO, most);
            let number = chance.between(0, 1);
            Visit {
                at,
                who: if chance.hits(0.5) { Who::Tenant(number) } else { Who::Token(number) },
                what: chance.between(0, PATHS as u64 - 1) as usize,
                writes: chance.hits(writing),
                leaves_after: chance.hits(fickle).then(|| chance.time(millis(0), secs(2))),
            }
        })
        .collect()
}

const PATHS: usize = 3;
