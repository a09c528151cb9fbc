use std::time::{Duration, Instant};

use super::config::{Excess, Learning, Quota, RateLimitConfig};
use super::learned::{Asked, Learned, Of};
use super::pace::Pace;
use super::resources::{Resources, Route};
use super::resume::Resume;
use super::search::Search;
use crate::outcome::{LimitFacts, Resource};
use crate::rt;

/// When requests may go: `now` goes in, a time comes out.
#[derive(Debug)]
pub(super) struct Schedule {
    config: RateLimitConfig,
    configured: Option<Pace>,
    learned: Vec<Learned>,
    resources: Resources,
    search: Option<Search>,
    /// As the provider asked.
    paused_until: Option<Instant>,
    /// As whoever has the handle asked.
    held_until: Option<Instant>,
    /// As long as seemed enough after a refusal that didn't say.
    guessed_until: Option<Instant>,
    /// How those go who wait for the end of that.
    resume: Option<Resume>,
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
            resources: Resources::default(),
            search: None,
            paused_until: None,
            held_until: None,
            guessed_until: None,
            resume: None,
            refusals: 0,
        };
        schedule.reconfigure(config, now);
        schedule
    }

    /// Other settings; what was spent stays, and what was learned as long as learning is on.
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
        if config.learning == Learning::Off {
            self.unlearn(now);
        } else if config.excess != self.config.excess {
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
            || self.resume.is_some()
            || self.paused_for(now).is_some()
            // Answers are of interest, until one of them is no refusal.
            || self.refusals > 0
    }

    /// When the next request may go, if it is for this route.
    pub(super) fn ready_at(&self, route: Route, now: Instant) -> Instant {
        let own = self.own(now).map(|pace| pace.ready_at());
        let cap = self.config.pause_cap;
        let told = self.told_of(route, now).map(|learned| learned.ready_at(cap, now));
        let resumed = self.resume.map(|resume| resume.ready_at());
        own.chain(told).chain(self.stopped_until()).chain(resumed).max().unwrap_or(now)
    }

    /// When a request may go that has so many before it.
    pub(super) fn ready_after(&self, others: u32, route: Route, now: Instant) -> Instant {
        // A job isn't refused for a guess: it queues, and its deadline is its own.
        let is_sure = |learned: &&Learned| match self.config.excess {
            Excess::Reject => true,
            Excess::Shape => learned.is_sure(),
        };
        let told = self.told_of(route, now).filter(is_sure).filter_map(|learned| learned.pace);
        let is_person = self.config.excess == Excess::Reject;
        let own = self.own(now).filter(|_| is_person);
        let resumed = self.resume.filter(|_| is_person).map(|resume| resume.interval(others));
        let paces = self.configured.into_iter().chain(own).chain(told);
        let interval = paces.map(|pace| pace.interval).chain(resumed).max();
        let queue = interval.unwrap_or_default().saturating_mul(others);
        rt::after(self.ready_at(route, now).max(now), queue)
    }

    /// When the provider lets requests for this route go, if that is later than anybody waits for it.
    pub(super) fn stopped_too_long(&self, route: Route, now: Instant) -> Option<Instant> {
        let told = self.told_of(route, now).filter_map(Learned::refused_until);
        let until = told.chain(self.paused_until).max()?;
        (until > rt::after(now, self.config.pause_cap)).then_some(until)
    }

    /// From one request to the next, where they come without end; for the resource with the most
    /// room, where each has its own limits.
    pub(super) fn interval(&self, now: Instant) -> Option<Duration> {
        let slowest = |resource| {
            let told = self.told(now).filter(|learned| learned.limits(resource));
            let paces = self.own(now).chain(told.filter_map(|learned| learned.pace));
            paces.map(|pace| pace.interval).max()
        };
        let resources = self.told(now).map(Learned::resource).filter(Option::is_some);
        resources.map(slowest).min().unwrap_or_else(|| slowest(None))
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

    /// The same, of what limits requests for this route.
    fn told_of(&self, route: Route, now: Instant) -> impl Iterator<Item = &Learned> {
        let resource = self.resources.of(route);
        self.told(now).filter(move |learned| learned.limits(resource))
    }

    pub(super) fn paused_for(&self, now: Instant) -> Option<Duration> {
        let left = self.stopped_until()?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    fn stopped_until(&self) -> Option<Instant> {
        self.paused_until.max(self.guessed_until).max(self.held_until)
    }

    /// A request for this route goes out; `pressed` where others would have liked to, of whom so many
    /// wait behind it.
    pub(super) fn take(&mut self, route: Route, pressed: bool, behind: u32, now: Instant) {
        if self.resume.as_mut().is_some_and(|resume| !resume.take(behind, now)) {
            self.resume = None;
        }
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
        let resource = self.resources.of(route);
        let told = self.learned.iter_mut().filter(|learned| learned.limits(resource));
        told.for_each(|learned| learned.take(pressed, cap, now));
    }

    /// Takes the provider at its word; a refusal is proof of it.
    pub(super) fn hear(&mut self, facts: &LimitFacts, asked: Asked, refused: bool, now: Instant) {
        if self.config.learning == Learning::Off {
            return;
        }
        let was_told = self.is_told(asked.route, now);
        for fact in facts.iter() {
            if let Some(resource) = fact.resource {
                self.resources.learn(asked.route, resource);
            }
            let (excess, cap) = (self.config.excess, self.config.pause_cap);
            let resource = fact.resource.map(|resource| asked.route.own(resource));
            let learned = self.learned(Of { scope: fact.scope, resource }, now);
            learned.hear(fact, asked, excess, now);
            match refused {
                true => learned.prove(),
                false => learned.doubt(fact, asked, excess, cap, now),
            }
        }
        if !was_told && self.is_told(asked.route, now) {
            // Who is told needn't guess; what is found out in spite of that is another limit.
            self.search = None;
        }
    }

    /// What is known of this limit.
    fn learned(&mut self, of: Of, now: Instant) -> &mut Learned {
        let known = self.learned.iter().position(|learned| learned.is_of(of));
        let at = known.unwrap_or_else(|| {
            self.learned.truncate(MOST - 1);
            self.learned.push(Learned::new(of, now));
            self.learned.len() - 1
        });
        &mut self.learned[at]
    }

    fn is_told(&self, route: Route, now: Instant) -> bool {
        self.told_of(route, now).any(Learned::is_told)
    }

    /// The provider did what was asked: what it said before that nothing is left was not so.
    /// Whether that changes when requests may go.
    pub(super) fn accepted(&mut self, asked: Asked) -> bool {
        self.refusals = 0;
        let resource = self.resources.of(asked.route);
        let told = self.learned.iter_mut().filter(|learned| learned.limits(resource));
        // All of them are told.
        told.filter_map(|learned| learned.accepted(asked).then_some(())).count() > 0
    }

    /// The provider refused: everybody stops for as long as it says. Returns the pause, where
    /// refusals are heeded.
    ///
    /// `sent` is what went out before, where the refusal is news and not the echo of an earlier one,
    /// and a matter of the rate.
    pub(super) fn refused(
        &mut self,
        asked: Option<Duration>,
        sent: Option<Sent>,
        route: Route,
        now: Instant,
    ) -> Option<Duration> {
        if self.config.learning == Learning::Off {
            return None;
        }
        // An echo asks for no more than the refusal that it is one of.
        let before = if sent.is_some() { self.refusals } else { self.refusals.saturating_sub(1) };
        let own = || self.guess().saturating_mul(1 << before.min(5));
        let pause = asked.unwrap_or_else(own);
        let until = rt::after(now, pause);
        let stopped =
            if asked.is_some() { &mut self.paused_until } else { &mut self.guessed_until };
        *stopped = (*stopped).max(Some(until));
        let before = sent.and_then(Sent::interval);
        self.resume = Some(Resume::after(pause, until, before).and(self.resume));
        if let Some(sent) = sent {
            self.refusals = self.refusals.saturating_add(1);
            let is_explained = self.told_of(route, now).any(Learned::is_spent);
            match &mut self.search {
                _ if is_explained => {}
                Some(search) => search.refused(pause, now),
                // What follows on no request is no measure of ours.
                None if sent.requests > 0 => {
                    let memory = self.config.memory();
                    self.search = Some(Search::begin(sent, pause, memory, now));
                }
                None => {}
            }
        }
        Some(pause)
    }

    /// How long to stop where a refusal doesn't say: a person's call that only tried a faster pace goes
    /// back to the one that was accepted.
    fn guess(&self) -> Duration {
        let is_try = self.search.is_some_and(|search| search.knows_accepted());
        match (self.config.excess, is_try) {
            (Excess::Reject, true) => FIRST_PAUSE / 4,
            _ => FIRST_PAUSE,
        }
    }

    /// The provider refused what goes to this resource, and asked for so long a wait.
    pub(super) fn refused_resource(
        &mut self,
        resource: Resource,
        pause: Duration,
        route: Route,
        now: Instant,
    ) {
        if self.config.learning == Learning::On {
            self.resources.learn(route, resource);
            let of = Of { scope: REFUSALS, resource: Some(route.own(resource)) };
            self.learned(of, now).refuse_until(rt::after(now, pause));
        }
    }

    /// Everybody stops, for at least so long; `before` is the time from one call to the next until then.
    pub(super) fn pause(&mut self, pause: Duration, before: Option<Duration>, now: Instant) {
        let until = rt::after(now, pause);
        self.held_until = self.held_until.max(Some(until));
        self.resume = Some(Resume::after(pause, until, before).and(self.resume));
    }

    /// The pause is over, and all that was learned is forgotten.
    pub(super) fn forget(&mut self, now: Instant) {
        (self.paused_until, self.held_until) = (None, None);
        self.unlearn(now);
    }

    /// All that was learned is forgotten, but for a pause that somebody asked for.
    fn unlearn(&mut self, now: Instant) {
        self.learned.clear();
        self.resources.clear();
        (self.search, self.guessed_until, self.refusals) = (None, None, 0);
        let ends = self.stopped_until().unwrap_or(now);
        self.resume = self.resume.map(|resume| resume.ending(ends));
    }
}

impl Sent {
    /// From one request to the next.
    pub(super) fn interval(self) -> Option<Duration> {
        (self.requests > 1 && !self.over.is_zero()).then(|| self.over.div_f64(self.requests as f64))
    }
}

/// Limits that are learned at once, of all resources.
const MOST: usize = 32;
/// No limit that is told has this number.
const REFUSALS: u64 = 0;
/// Where a refusal doesn't say for how long; twice that after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
