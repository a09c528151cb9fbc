use std::time::{Duration, Instant};

use super::config::{Excess, Learning, Quota, RateLimitConfig};
use super::learned::{Asked, Learned};
use super::pace::Pace;
use super::search::Search;
use crate::outcome::rate_limit_headers::LimitFacts;
use crate::rt;

/// When requests may go: `now` goes in, a time comes out.
#[derive(Debug)]
pub(super) struct Schedule {
    config: RateLimitConfig,
    configured: Option<Pace>,
    learned: Vec<Learned>,
    search: Option<Search>,
    paused_until: Option<Instant>,
    /// Refusals in a row that didn't say for how long.
    refusals: u32,
}

/// What was sent before a refusal, as far as anybody counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) requests: u64,
    pub(super) over: Duration,
}

impl Schedule {
    pub(super) fn new(config: &RateLimitConfig, now: Instant) -> Self {
        let mut schedule = Self {
            config: config.clone(),
            configured: None,
            learned: Vec::new(),
            search: None,
            paused_until: None,
            refusals: 0,
        };
        schedule.reconfigure(config, now);
        schedule
    }

    /// Other settings; what was learned and what was spent stays.
    pub(super) fn reconfigure(&mut self, config: &RateLimitConfig, now: Instant) {
        let pace = |quota: Quota| {
            let ahead = quota.interval().saturating_mul(quota.burst.saturating_sub(1));
            (quota.interval(), ahead)
        };
        match (config.quota.map(pace), &mut self.configured) {
            (None, configured) => *configured = None,
            (Some((interval, ahead)), Some(known)) => known.change(interval, ahead, now),
            (Some((interval, ahead)), configured) => {
                *configured = Some(Pace::new(interval, ahead, now));
            }
        }
        if config.learning == Learning::Off || config.excess != self.config.excess {
            self.learned.clear();
        }
        self.config = config.clone();
    }

    pub(super) fn config(&self) -> &RateLimitConfig {
        &self.config
    }

    /// Whether anything limits requests just now.
    pub(super) fn is_limiting(&self, now: Instant) -> bool {
        self.configured.is_some()
            || self.config.in_flight.is_some()
            || self.search.is_some()
            || !self.learned.is_empty()
            || self.paused_until.is_some_and(|until| until > now)
            // Answers are of interest, until one of them is no refusal.
            || self.refusals > 0
    }

    /// When the next request may go.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let own = self.own(now).map(|pace| pace.ready_at());
        let cap = self.config.pause_cap;
        let told = self.told(now).map(|learned| learned.ready_at(cap, now));
        own.chain(told).chain(self.paused_until).max().unwrap_or(now)
    }

    /// When a request may go that has so many before it.
    pub(super) fn ready_after(&self, others: u32, now: Instant) -> Instant {
        let interval = match self.config.excess {
            Excess::Reject => self.interval(now),
            // A job isn't refused for a guess: it queues, and its deadline is its own.
            Excess::Shape => self.sure_interval(now),
        };
        let queue = interval.unwrap_or_default().saturating_mul(others);
        rt::after(self.ready_at(now).max(now), queue)
    }

    /// The same as [`interval`](Self::interval), by what was set and promised.
    fn sure_interval(&self, now: Instant) -> Option<Duration> {
        let told = self.told(now).filter(|learned| learned.is_sure());
        let told = told.filter_map(|learned| learned.pace);
        self.configured.into_iter().chain(told).map(|pace| pace.interval).max()
    }

    /// From one request to the next, where they come without end.
    pub(super) fn interval(&self, now: Instant) -> Option<Duration> {
        let told = self.told(now).filter_map(|learned| learned.pace);
        self.own(now).chain(told).map(|pace| pace.interval).max()
    }

    /// What was set, and what was found out and still holds.
    fn own(&self, now: Instant) -> impl Iterator<Item = Pace> {
        let search = self.search.filter(|search| !search.is_stale(now));
        [self.configured, search.map(|search| search.pace)].into_iter().flatten()
    }

    /// What the provider told, as long as that holds.
    fn told(&self, now: Instant) -> impl Iterator<Item = &Learned> {
        self.learned.iter().filter(move |learned| learned.expires > now)
    }

    pub(super) fn paused_for(&self, now: Instant) -> Option<Duration> {
        let left = self.paused_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// A request goes out; `pressed` where others would have liked to.
    pub(super) fn take(&mut self, pressed: bool, now: Instant) {
        self.learned.retain(|learned| learned.expires > now);
        self.search = self.search.filter(|search| !search.is_stale(now));
        if let Some(search) = &mut self.search {
            if pressed {
                search.pressed(now);
            }
            search.pace.take(pressed, now);
        }
        if let Some(pace) = &mut self.configured {
            pace.take(pressed, now);
        }
        let cap = self.config.pause_cap;
        self.learned.iter_mut().for_each(|learned| learned.take(pressed, cap, now));
    }

    /// Takes the provider at its word.
    pub(super) fn hear(&mut self, facts: &LimitFacts, asked: Asked, now: Instant) {
        if self.config.learning == Learning::Off {
            return;
        }
        let was_told = self.is_told(now);
        for fact in facts.iter() {
            let known = self.learned.iter().position(|learned| learned.scope == fact.scope);
            let at = known.unwrap_or_else(|| {
                self.learned.truncate(MOST - 1);
                self.learned.push(Learned::new(fact.scope, now));
                self.learned.len() - 1
            });
            self.learned[at].hear(fact, asked, self.config.excess, now);
        }
        if !was_told && self.is_told(now) {
            // Who is told needn't guess; what is found out in spite of that is another limit.
            self.search = None;
        }
    }

    fn is_told(&self, now: Instant) -> bool {
        self.told(now).any(Learned::is_told)
    }

    pub(super) fn accepted(&mut self) {
        self.refusals = 0;
    }

    /// The provider refused: everybody stops for as long as it says. Returns the pause.
    ///
    /// `sent` is what went out before, where the refusal is news and not the echo of an earlier one,
    /// and a matter of the rate.
    pub(super) fn refused(
        &mut self,
        asked: Option<Duration>,
        sent: Option<Sent>,
        now: Instant,
    ) -> Duration {
        // An echo asks for no more than the refusal that it is one of.
        let before = if sent.is_some() { self.refusals } else { self.refusals.saturating_sub(1) };
        let own = || FIRST_PAUSE.saturating_mul(1 << before.min(5));
        let pause = asked.unwrap_or_else(own).min(self.config.pause_cap);
        self.pause(pause, now);
        if let Some(sent) = sent {
            self.refusals = self.refusals.saturating_add(1);
            let is_explained = self.told(now).any(Learned::is_spent);
            match &mut self.search {
                _ if is_explained => {}
                Some(search) => search.refused(pause, now),
                // What follows on no request is no measure of ours.
                None if sent.requests > 0 && self.config.learning == Learning::On => {
                    self.search = Some(Search::begin(sent.requests, sent.over, pause, now));
                }
                None => {}
            }
        }
        pause
    }

    /// Everybody stops, for at least so long.
    pub(super) fn pause(&mut self, pause: Duration, now: Instant) {
        self.paused_until = self.paused_until.max(Some(rt::after(now, pause)));
    }

    /// The pause is over, and all that was learned is forgotten.
    pub(super) fn forget(&mut self) {
        self.learned.clear();
        (self.search, self.paused_until, self.refusals) = (None, None, 0);
    }
}

/// Limits that are learned at once.
const MOST: usize = 4;
/// Where a refusal doesn't say for how long; twice that after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
