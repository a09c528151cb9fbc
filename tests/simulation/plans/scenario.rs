use std::ops::Range;
use std::time::Duration;

use crate::provider::plan::{Mode, Plan};

/// What a provider goes through, and how it is called meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// Calls a second, of all clients together.
    pub(crate) rate: f64,
    /// So many calls more, at once, at these times.
    pub(crate) bursts: Vec<(Duration, usize)>,
    /// Instances of the caller's service, each with a stack of its own.
    pub(crate) clients: usize,
    pub(crate) phases: Vec<(Mode, Duration)>,
    /// Of the provider, where it is well.
    pub(crate) service_time: Duration,
    /// An answer that comes later is of no use to a person.
    pub(crate) useful_within: Duration,
    /// The share of calls that are unsafe, under idempotency keys that the provider honours.
    pub(crate) posts: f64,
    /// How long a job may take; the preset's own limit where it is absent.
    pub(crate) job_deadline: Option<Duration>,
    /// How long after an outage the last job from before its end may be done, where that is promised.
    pub(crate) done_within: Option<Duration>,
    /// How soon a person's calls must be answered once the provider is well again.
    pub(crate) recovers_within: Duration,
    /// The provider says that it is asked too much, so that whoever obeys answers less.
    pub(crate) is_over_a_limit: bool,
    /// The provider asks for more time than it takes, and whoever obeys comes later.
    pub(crate) asks_for_time: bool,
}

impl Scenario {
    /// Two healthy minutes, 20 calls a second by one client, three of ten unsafe.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            rate: 20.0,
            bursts: Vec::new(),
            clients: 1,
            phases: vec![(Mode::Ok, Duration::from_secs(120))],
            service_time: Duration::from_millis(20),
            useful_within: Duration::from_secs(5),
            posts: 0.3,
            job_deadline: None,
            done_within: None,
            recovers_within: Duration::from_secs(1),
            is_over_a_limit: false,
            asks_for_time: false,
        }
    }

    /// Other healthy seconds at the beginning.
    pub(crate) fn healthy(mut self, seconds: u64) -> Self {
        self.phases[0].1 = Duration::from_secs(seconds);
        self
    }

    pub(crate) fn then(mut self, mode: Mode, seconds: u64) -> Self {
        self.phases.push((mode, Duration::from_secs(seconds)));
        self
    }

    /// Healthy again.
    pub(crate) fn recovers(self, seconds: u64) -> Self {
        self.then(Mode::Ok, seconds)
    }

    pub(crate) fn rate(mut self, a_second: f64) -> Self {
        self.rate = a_second;
        self
    }

    /// So many calls more at once, so many seconds after the beginning.
    pub(crate) fn burst(mut self, after: u64, calls: usize) -> Self {
        self.bursts.push((Duration::from_secs(after), calls));
        self
    }

    pub(crate) fn clients(mut self, clients: usize) -> Self {
        self.clients = clients;
        self
    }

    pub(crate) fn job_deadline(mut self, limit: Duration) -> Self {
        self.job_deadline = Some(limit);
        self
    }

    pub(crate) fn done_within(mut self, limit: Duration) -> Self {
        self.done_within = Some(limit);
        self
    }

    pub(crate) fn recovers_within(mut self, seconds: u64) -> Self {
        self.recovers_within = Duration::from_secs(seconds);
        self
    }

    pub(crate) fn asks_for_time(mut self) -> Self {
        self.asks_for_time = true;
        self
    }

    pub(crate) fn over_a_limit(mut self) -> Self {
        self.is_over_a_limit = true;
        self
    }

    /// The same with troubles so many times as long.
    pub(crate) fn longer(mut self, times: f64) -> Self {
        for (mode, lasts) in &mut self.phases {
            if *mode != Mode::Ok {
                *lasts = lasts.mul_f64(times);
            }
        }
        self
    }

    pub(crate) fn length(&self) -> Duration {
        self.phases.iter().map(|(_, lasts)| lasts).sum()
    }

    /// Calls a second of one client.
    pub(crate) fn often(&self) -> f64 {
        self.rate / self.clients as f64
    }

    /// For so long after a return of the provider a client need not know of it.
    pub(crate) fn grace(&self) -> Duration {
        Duration::from_secs(if self.often() < OFTEN { 2 } else { 1 })
    }

    /// Each phase and when it is.
    pub(crate) fn times(&self) -> impl Iterator<Item = (Mode, Range<Duration>)> {
        let mut from = Duration::ZERO;
        self.phases.iter().map(move |(mode, lasts)| {
            let phase = from..from + *lasts;
            from = phase.end;
            (*mode, phase)
        })
    }

    /// The phases in which nothing is answered.
    pub(crate) fn outages(&self) -> impl Iterator<Item = Range<Duration>> {
        self.times().filter(|(mode, _)| is_down(*mode)).map(|(_, phase)| phase)
    }

    /// The phases in which it is well after it was not.
    pub(crate) fn returns(&self) -> impl Iterator<Item = Range<Duration>> {
        self.times().skip(1).filter(|(mode, _)| *mode == Mode::Ok).map(|(_, phase)| phase)
    }

    /// When each call is made: evenly, from `first` of an interval on, and the bursts.
    pub(super) fn due(&self, first: f64) -> Vec<Duration> {
        let evenly =
            (0..).map(|call| Duration::from_secs_f64((first + f64::from(call)) / self.rate));
        let bursts = self.bursts.iter().flat_map(|(at, calls)| std::iter::repeat_n(*at, *calls));
        let evenly = evenly.take_while(|due| *due < self.length());
        let mut due: Vec<_> = evenly.chain(bursts).collect();
        due.sort_unstable();
        due
    }

    pub(super) fn plan(&self, seed: u64) -> Plan {
        let plan = Plan::new(seed).service_time(self.service_time);
        self.phases.iter().fold(plan, |plan, (mode, lasts)| plan.then(*mode, *lasts))
    }
}

fn is_down(mode: Mode) -> bool {
    use Mode::{Hang, Refuse, Reset, Stuck, Unavailable};
    matches!(mode, Hang | Refuse | Reset | Stuck | Unavailable { .. })
}

/// Calls a second of one client: fewer can't tell within a second that a provider is back.
pub(super) const OFTEN: f64 = 5.0;
