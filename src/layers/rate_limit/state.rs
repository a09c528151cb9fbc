use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::{Learning, OnLimit, Quota, RateLimitConfig};
use super::gcra::Gcra;
use super::rate_probe::RateProbe;
use super::resources::{Resources, Route};
use super::resume::Resume;
use super::server_limit::{AnsweredRequest, LimitId, ServerLimit};
use super::share::ShareBucket;
use crate::outcome::{LimitFacts, Resource};
use crate::rt;

/// Decides when requests may go. It is pure: the time is an argument.
#[derive(Debug)]
pub(super) struct Schedule {
    config: RateLimitConfig,
    configured: Option<Gcra>,
    /// This process's part of a rate that several share.
    pub(super) share: Option<ShareBucket>,
    server_limits: Vec<ServerLimit>,
    resources: Resources,
    probe: Option<RateProbe>,
    /// The pause that the provider asked for.
    paused_until: Option<Instant>,
    /// The pause that a handle asked for.
    handle_paused_until: Option<Instant>,
    /// The default pause, after a refusal that asked for none.
    default_paused_until: Option<Instant>,
    /// Spreads the calls that wait for the end of a pause.
    resume: Option<Resume>,
    /// Refusals in a row.
    refusals: u32,
}

/// What may be used of an account's rate, for people to read. Rates are in requests a second.
#[derive(Clone, Debug)]
pub(crate) struct ShareNow {
    pub(crate) account: Arc<str>,
    pub(crate) rate: f64,
    pub(crate) demand: f64,
    pub(crate) has_ended: bool,
}

/// What was sent before a refusal, about.
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
            share: None,
            server_limits: Vec::new(),
            resources: Resources::default(),
            probe: None,
            paused_until: None,
            handle_paused_until: None,
            default_paused_until: None,
            resume: None,
            refusals: 0,
        };
        schedule.reconfigure(config, now);
        schedule
    }

    /// Applies other settings. What was spent is kept, and what was learned as long as learning is on.
    pub(super) fn reconfigure(&mut self, config: &RateLimitConfig, now: Instant) {
        let gcra = |quota: Quota| {
            let burst_tolerance = quota.interval().saturating_mul(quota.burst.saturating_sub(1));
            (quota.interval(), burst_tolerance)
        };
        match (config.quota.map(gcra), &mut self.configured) {
            (None, configured) => *configured = None,
            (Some((interval, burst_tolerance)), Some(known)) => {
                known.change(interval, burst_tolerance, now);
            }
            (Some((interval, burst_tolerance)), configured) => {
                *configured = Some(Gcra::new(interval, burst_tolerance, now));
            }
        }
        if config.learning == Learning::Off {
            self.unlearn(now);
        } else if config.on_limit != self.config.on_limit {
            self.server_limits.clear();
        }
        self.config = config.clone();
    }

    pub(super) fn config(&self) -> &RateLimitConfig {
        &self.config
    }

    /// Whether anything limits requests now.
    pub(super) fn is_limiting(&self, now: Instant) -> bool {
        self.configured.is_some()
            || self.share.is_some()
            || self.config.in_flight.is_some()
            || self.probe.is_some()
            || !self.server_limits.is_empty()
            || self.resume.is_some()
            || self.paused_for(now).is_some()
            // The next success resets this count.
            || self.refusals > 0
    }

    /// When the next request may go, if it is for this route.
    pub(super) fn ready_at(&self, route: Route, now: Instant) -> Instant {
        let own = self.own_rates(now).map(|gcra| gcra.ready_at());
        let cap = self.config.pause_cap;
        let reported = self.reported_for(route, now).map(|limit| limit.ready_at(cap, now));
        let resumed = self.resume.map(|resume| resume.ready_at());
        let rates = own.chain(reported).chain(self.share_ready_at(now));
        rates.chain(self.stopped_until()).chain(resumed).max().unwrap_or(now)
    }

    /// When a request may go that has `others` before it.
    pub(super) fn ready_after(&self, others: u32, route: Route, now: Instant) -> Instant {
        // A job isn't refused because of an estimate: it queues.
        let is_sure = |limit: &&ServerLimit| match self.config.on_limit {
            OnLimit::Reject => true,
            OnLimit::Shape => limit.is_sure(),
        };
        let reported = self.reported_for(route, now).filter(is_sure).filter_map(|limit| limit.gcra);
        let is_person = self.config.on_limit == OnLimit::Reject;
        let own = self.own_rates(now).filter(|_| is_person);
        let resumed = self.resume.filter(|_| is_person).map(|resume| resume.interval(others));
        let rates = self.configured.into_iter().chain(own).chain(reported);
        let intervals = rates.map(|gcra| gcra.interval).chain(self.share_interval(now));
        let interval = intervals.chain(resumed).max();
        let queue = interval.unwrap_or_default().saturating_mul(others);
        rt::after(self.ready_at(route, now).max(now), queue)
    }

    /// When the provider allows requests for this route again, if that is after the longest pause to
    /// wait for.
    pub(super) fn stopped_too_long(&self, route: Route, now: Instant) -> Option<Instant> {
        let reported = self.reported_for(route, now).filter_map(ServerLimit::refused_until);
        let until = reported.chain(self.paused_until).max()?;
        (until > rt::after(now, self.config.pause_cap)).then_some(until)
    }

    /// The time between two requests under constant load; if resources have their own limits, that of
    /// the fastest one.
    pub(super) fn interval(&self, now: Instant) -> Option<Duration> {
        let slowest = |resource| {
            let reported = self.reported(now).filter(|limit| limit.limits(resource));
            let rates = self.own_rates(now).chain(reported.filter_map(|limit| limit.gcra));
            rates.map(|gcra| gcra.interval).chain(self.share_interval(now)).max()
        };
        let resources = self.reported(now).map(ServerLimit::resource).filter(Option::is_some);
        resources.map(slowest).min().unwrap_or_else(|| slowest(None))
    }

    /// The configured rate and the probed one.
    fn own_rates(&self, now: Instant) -> impl Iterator<Item = Gcra> {
        let probe = self.probe.filter(|probe| !probe.is_stale(now));
        [self.configured, probe.map(|probe| probe.gcra)].into_iter().flatten()
    }

    /// The limits that the provider reported and that haven't expired.
    fn reported(&self, now: Instant) -> impl Iterator<Item = &ServerLimit> {
        self.server_limits.iter().filter(move |limit| limit.expires > now)
    }

    /// Those of them that limit requests for this route.
    fn reported_for(&self, route: Route, now: Instant) -> impl Iterator<Item = &ServerLimit> {
        let resource = self.resources.of(route);
        self.reported(now).filter(move |limit| limit.limits(resource))
    }

    pub(super) fn paused_for(&self, now: Instant) -> Option<Duration> {
        let left = self.stopped_until()?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    fn stopped_until(&self) -> Option<Instant> {
        self.paused_until.max(self.default_paused_until).max(self.handle_paused_until)
    }

    /// A request for this route goes out. `contended`: others are waiting, or were refused; `behind`
    /// of them wait in the queue.
    pub(super) fn take(&mut self, route: Route, contended: bool, behind: u32, now: Instant) {
        if self.resume.as_mut().is_some_and(|resume| !resume.take(behind, now)) {
            self.resume = None;
        }
        self.server_limits.retain(|limit| limit.expires > now);
        self.probe = self.probe.filter(|probe| !probe.is_stale(now));
        if let Some(probe) = &mut self.probe {
            if contended {
                probe.on_contended(now);
            }
            probe.gcra.take(contended, now);
        }
        if let Some(gcra) = &mut self.configured {
            gcra.take(contended, now);
        }
        self.take_share(now);
        let cap = self.config.pause_cap;
        let resource = self.resources.of(route);
        let reported = self.server_limits.iter_mut().filter(|limit| limit.limits(resource));
        reported.for_each(|limit| limit.take(contended, cap, now));
    }

    /// Updates the limits from an answer's headers. A refusal confirms them.
    pub(super) fn update(
        &mut self,
        facts: &LimitFacts,
        request: AnsweredRequest,
        refused: bool,
        now: Instant,
    ) {
        if self.config.learning == Learning::Off {
            return;
        }
        let was_known = self.knows_remaining(request.route, now);
        for fact in facts.iter() {
            if let Some(resource) = fact.resource {
                self.resources.learn(request.route, resource);
            }
            let (on_limit, cap) = (self.config.on_limit, self.config.pause_cap);
            let resource = fact.resource.map(|resource| request.route.own(resource));
            let limit = self.server_limit(LimitId { scope: fact.scope, resource }, now);
            limit.update(fact, request, on_limit, now);
            match refused {
                true => limit.confirm(),
                false => limit.observe_success(fact, request, on_limit, cap, now),
            }
        }
        if !was_known && self.knows_remaining(request.route, now) {
            // A reported limit replaces a probed one. A later probe then finds another limit.
            self.probe = None;
        }
    }

    /// The entry for this limit, made if there is none.
    fn server_limit(&mut self, of: LimitId, now: Instant) -> &mut ServerLimit {
        let known = self.server_limits.iter().position(|limit| limit.is_of(of));
        let at = known.unwrap_or_else(|| {
            self.server_limits.truncate(MAX_LIMITS - 1);
            self.server_limits.push(ServerLimit::new(of, now));
            self.server_limits.len() - 1
        });
        &mut self.server_limits[at]
    }

    fn knows_remaining(&self, route: Route, now: Instant) -> bool {
        self.reported_for(route, now).any(ServerLimit::knows_remaining)
    }

    /// A request was accepted, which disproves an earlier report that nothing is left. True if that
    /// changes when requests may go.
    pub(super) fn accepted(&mut self, request: AnsweredRequest) -> bool {
        self.refusals = 0;
        let resource = self.resources.of(request.route);
        let reported = self.server_limits.iter_mut().filter(|limit| limit.limits(resource));
        // `count` visits all of them.
        reported.filter_map(|limit| limit.accepted(request).then_some(())).count() > 0
    }

    /// The provider refused a request: all stop for as long as it asks. Returns the pause, if learning
    /// is on.
    ///
    /// `sent` is what went out before. It is absent if the refused request was sent before an earlier
    /// refusal, or if the refusal isn't about the rate.
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
        // A request from before an earlier refusal doesn't double the pause.
        let before = if sent.is_some() { self.refusals } else { self.refusals.saturating_sub(1) };
        let own = || self.default_pause().saturating_mul(1 << before.min(5));
        let pause = asked.unwrap_or_else(own);
        let until = rt::after(now, pause);
        let stopped =
            if asked.is_some() { &mut self.paused_until } else { &mut self.default_paused_until };
        *stopped = (*stopped).max(Some(until));
        let before = sent.and_then(Sent::interval);
        self.resume = Some(Resume::after(pause, until, before).merge(self.resume));
        if let Some(sent) = sent {
            self.refusals = self.refusals.saturating_add(1);
            let is_explained = self.reported_for(route, now).any(ServerLimit::is_exhausted);
            let telling = self.telling();
            match &mut self.probe {
                _ if is_explained => {}
                Some(probe) => probe.refused(pause, now),
                None if sent.requests >= telling => {
                    let retention = self.config.retention();
                    self.probe = Some(RateProbe::begin(sent, pause, retention, now));
                }
                None => {}
            }
        }
        Some(pause)
    }

    /// How many requests before a refusal tell something about our rate. From few, a person's calls would be held to a
    /// rate that nobody has refused: the next refusal tells more.
    fn telling(&self) -> u64 {
        match self.config.on_limit {
            OnLimit::Reject => 10,
            OnLimit::Shape => 1,
        }
    }

    /// The pause after a refusal that asks for none. It is shorter if a person's calls only probed a
    /// faster rate: they go back to the accepted one.
    fn default_pause(&self) -> Duration {
        let is_try = self.probe.is_some_and(|probe| probe.knows_accepted());
        match (self.config.on_limit, is_try) {
            (OnLimit::Reject, true) => FIRST_PAUSE / 4,
            _ => FIRST_PAUSE,
        }
    }

    /// The provider refused a request to this resource, and asked for a pause.
    pub(super) fn refused_resource(
        &mut self,
        resource: Resource,
        pause: Duration,
        route: Route,
        now: Instant,
    ) {
        if self.config.learning == Learning::On {
            self.resources.learn(route, resource);
            let of = LimitId { scope: REFUSALS, resource: Some(route.own(resource)) };
            self.server_limit(of, now).refuse_until(rt::after(now, pause));
        }
    }

    /// Stops all requests, for at least so long. `before` is the time between two calls until then.
    pub(super) fn pause(&mut self, pause: Duration, before: Option<Duration>, now: Instant) {
        let until = rt::after(now, pause);
        self.handle_paused_until = self.handle_paused_until.max(Some(until));
        self.resume = Some(Resume::after(pause, until, before).merge(self.resume));
    }

    /// Ends the pause, and clears all that was learned.
    pub(super) fn forget(&mut self, now: Instant) {
        (self.paused_until, self.handle_paused_until) = (None, None);
        self.unlearn(now);
    }

    /// Clears all that was learned, but no pause that a handle or the provider asked for.
    fn unlearn(&mut self, now: Instant) {
        self.server_limits.clear();
        self.resources.clear();
        (self.probe, self.default_paused_until, self.refusals) = (None, None, 0);
        let ends = self.stopped_until().unwrap_or(now);
        self.resume = self.resume.map(|resume| resume.ending_by(ends));
    }
}

impl Sent {
    /// The time between two requests.
    pub(super) fn interval(self) -> Option<Duration> {
        (self.requests > 1 && !self.over.is_zero()).then(|| self.over.div_f64(self.requests as f64))
    }
}

/// The most limits that are kept, of all resources.
const MAX_LIMITS: usize = 32;
/// The scope of refusals by resource; no reported limit has this number.
const REFUSALS: u64 = 0;
/// The pause after a refusal that asks for none; twice that after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
