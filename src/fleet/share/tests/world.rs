//! Instances and a database in simulated time.

use std::time::{Duration, Instant, SystemTime};

use super::super::demand::Demand;
use super::super::fair::Holder;
use super::super::lease::{LeaseTerms, ShareLease};
use super::super::ledger::{FORGOTTEN, Ledger, LedgerEntry};
use crate::outbox::Timestamp;
use crate::rate_limit::{Quota, RequestCounts};
use crate::rt::{self, Clock, Rng};

pub(super) struct World {
    pub(super) rng: Rng,
    began: Instant,
    wall: SystemTime,
    now: Duration,
    lease: Duration,
    is_up: bool,
    ledger: Ledger,
    pub(super) instances: Vec<Instance>,
    excess: f64,
    /// Requests that were sent, and those that were wanted.
    pub(super) sent: f64,
    pub(super) renewals: u64,
}

pub(super) struct Instance {
    name: String,
    lease: ShareLease,
    demand: Demand,
    /// Requests a second that callers want.
    pub(super) wanted: f64,
    counted: f64,
    done: f64,
    state: State,
    last_look: Duration,
    next_look: Duration,
    /// An answer on its way.
    pending: Option<(Duration, Instant, super::super::fair::Portion, bool)>,
    paused_until: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Runs,
    Partitioned,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Killed,
    Left,
    Partitioned,
    Healed,
    Paused(Duration),
}

const QUOTA: Quota = Quota { requests: 100, per: Duration::from_secs(1), burst: 1 };
const STEP: Duration = Duration::from_millis(20);

impl World {
    pub(super) fn new(seed: u64, number: usize, lease: Duration) -> Self {
        let (began, wall) = (rt::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30));
        let ledger = Ledger { now: Timestamp(0), entries: Vec::new() };
        let mut world = Self {
            rng: Rng::seeded(seed),
            began,
            wall,
            now: Duration::ZERO,
            lease,
            is_up: true,
            ledger,
            instances: Vec::new(),
            excess: 0.0,
            sent: 0.0,
            renewals: 0,
        };
        (0..number).for_each(|_| world.start());
        world
    }

    pub(super) fn start(&mut self) {
        let (now, lease) = (self.began + self.now, self.lease);
        let terms = LeaseTerms { lease };
        self.instances.push(Instance {
            name: format!("web-{}", self.instances.len()),
            lease: ShareLease::new(terms, QUOTA, now),
            demand: Demand::new(RequestCounts::default(), now),
            wanted: 0.0,
            counted: 0.0,
            done: 0.0,
            state: State::Runs,
            last_look: self.now,
            next_look: self.now,
            pending: None,
            paused_until: Duration::ZERO,
        });
    }

    pub(super) fn rate(&self) -> f64 {
        f64::from(QUOTA.requests)
    }

    pub(super) fn demand_all(&mut self, wanted: f64) {
        self.instances.iter_mut().for_each(|instance| instance.wanted = wanted);
    }

    pub(super) fn database_is_up(&mut self, is_up: bool) {
        self.is_up = is_up;
    }

    pub(super) fn fault(&mut self, at: usize, fault: Fault) {
        let instance = &mut self.instances[at];
        match fault {
            Fault::Killed => instance.state = State::Gone,
            Fault::Left => {
                instance.state = State::Gone;
                self.ledger.entries.retain(|entry| entry.name != instance.name);
            }
            Fault::Partitioned => instance.state = State::Partitioned,
            Fault::Healed => instance.state = State::Runs,
            Fault::Paused(time) => instance.paused_until = self.now + time,
        }
    }

    /// All leases end so much later in the database.
    pub(super) fn ends_later(&mut self, by: Duration) {
        self.ledger.entries.iter_mut().for_each(|entry| entry.ends = entry.ends.plus(by));
    }

    /// Shares are looked at by the monotonic clock alone.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// What each may use at present, a second.
    pub(super) fn shares(&self) -> Vec<f64> {
        (0..self.instances.len()).map(|at| self.share(at, true)).collect()
    }

    /// What those use whose leases hold.
    pub(super) fn live_shares(&self) -> f64 {
        (0..self.instances.len()).map(|at| self.share(at, false)).sum()
    }

    fn share(&self, at: usize, also_after: bool) -> f64 {
        let instance = &self.instances[at];
        if instance.state == State::Gone || instance.paused_until > self.now {
            return 0.0;
        }
        let now = self.began + self.now;
        let share = instance.lease.share(self.clock(), now);
        match () {
            () if now < share.until => share.rate,
            () if !also_after => 0.0,
            () => share.afterwards,
        }
    }

    /// What the database counts of leases that hold, a second.
    pub(super) fn counted(&self) -> f64 {
        let now = Timestamp::default().plus(self.now);
        let live = self.ledger.entries.iter().filter(|entry| entry.ends > now);
        live.map(|entry| entry.holder.using as f64).sum::<f64>() / 1e6
    }

    /// How many requests more than the rate allows could have been sent.
    pub(super) fn excess(&self) -> f64 {
        self.excess
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step(0.0);
        }
    }

    pub(super) fn random_step(&mut self) {
        let number = self.instances.len();
        let at = (self.rng.fraction() * number as f64) as usize;
        let seconds = Duration::from_secs_f64(self.rng.fraction() * 40.0);
        match self.rng.fraction() {
            chance if chance < 0.004 => self.instances[at].wanted = self.rng.fraction() * 200.0,
            chance if chance < 0.0045 => self.is_up = !self.is_up,
            chance if chance < 0.006 => self.fault(at, Fault::Paused(seconds)),
            chance if chance < 0.007 => self.flap(at),
            chance if chance < 0.0075 && number < 12 => {
                self.fault(at, if chance < 0.00725 { Fault::Killed } else { Fault::Left });
                self.start();
            }
            _ => {}
        }
        if !self.is_up && self.rng.fraction() < 0.01 {
            self.is_up = true;
        }
        self.step(0.02);
    }

    /// It loses its way to the database, or finds it again.
    fn flap(&mut self, at: usize) {
        match self.instances[at].state {
            State::Runs => self.fault(at, Fault::Partitioned),
            State::Partitioned => self.fault(at, Fault::Healed),
            State::Gone => {}
        }
    }

    /// `loss` is the chance that an answer is lost.
    fn step(&mut self, loss: f64) {
        self.now += STEP;
        for at in 0..self.instances.len() {
            let share = self.share(at, true);
            let instance = &mut self.instances[at];
            if instance.state == State::Gone || instance.paused_until > self.now {
                continue;
            }
            instance.counted += instance.wanted * STEP.as_secs_f64();
            let sent = share.min(instance.wanted) * STEP.as_secs_f64();
            instance.done += sent;
            self.sent += sent;
            let instance = &mut self.instances[at];
            if instance.wanted > share {
                let soonest = instance.last_look + instance.lease.soonest();
                instance.next_look = instance.next_look.min(soonest);
            }
            self.answered(at);
            if self.instances[at].next_look <= self.now {
                self.look(at, loss);
            }
        }
        let over = self.shares().iter().sum::<f64>() - self.rate();
        self.excess += over.max(0.0) * STEP.as_secs_f64();
    }

    fn answered(&mut self, at: usize) {
        let (now, wall) = (self.began + self.now, self.wall);
        let instance = &mut self.instances[at];
        let Some((comes, asked, portion, is_lost)) = instance.pending else { return };
        if comes > self.now {
            return;
        }
        instance.pending = None;
        if is_lost {
            return instance.lease.failed(now, &self.rng);
        }
        let asked_wall = wall + asked.saturating_duration_since(self.began);
        instance.lease.granted(portion, (asked, asked_wall), now, &self.rng);
        if instance.lease.is_due(instance.demand.a_second(), now) {
            instance.next_look = self.now;
        }
    }

    fn look(&mut self, at: usize, loss: f64) {
        let terms = LeaseTerms { lease: self.lease };
        let (now, instance) = (self.began + self.now, &mut self.instances[at]);
        instance.last_look = self.now;
        instance.next_look = self.now + self.rng.about(terms.look());
        let counts = RequestCounts { done: instance.counted as u64, ..RequestCounts::default() };
        instance.demand.observe(counts, instance.lease.using(), terms.renewal(), now);
        let demand = instance.demand.a_second();
        if instance.pending.is_some() || !instance.lease.is_due(demand, now) {
            return;
        }
        let asking = instance.lease.ask(demand, now);
        if !self.is_up || instance.state == State::Partitioned {
            return instance.lease.failed(now, &self.rng);
        }
        let is_lost = self.rng.fraction() < loss;
        let comes = self.now + Duration::from_secs_f64(self.rng.fraction() * 0.1);
        let name = instance.name.clone();
        let portion = self.renew(&name, asking);
        self.instances[at].pending = Some((comes, now, portion, is_lost));
    }

    /// As the statements do it.
    fn renew(&mut self, name: &str, asking: Holder) -> super::super::fair::Portion {
        self.renewals += 1;
        self.ledger.now = Timestamp(self.now.as_millis() as i64);
        let portion = self.ledger.renew(name, asking);
        let (now, ends) = (self.ledger.now, self.ledger.now.plus(self.lease));
        let is_remembered = |entry: &LedgerEntry| entry.ends.plus(FORGOTTEN) >= now;
        self.ledger.entries.retain(|entry| entry.name != name && is_remembered(entry));
        self.ledger.entries.iter_mut().for_each(|entry| entry.ends = entry.ends.min(ends));
        let holder = Holder { using: portion.counted, ..asking };
        self.ledger.entries.push(LedgerEntry { name: name.to_owned(), holder, ends });
        portion
    }
}
