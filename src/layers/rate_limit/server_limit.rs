use std::time::{Duration, Instant};

use super::config::OnLimit;
use super::gcra::Gcra;
use super::hint::Hint;
use super::resources::Route;
use crate::outcome::LimitFact;
use crate::rt;

/// One of the provider's limits, as its answers report it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerLimit {
    of: LimitId,
    limit: Option<u64>,
    window: Option<Duration>,
    /// The window was reported, or measured from reset to reset.
    is_sure: bool,
    /// The last reset as a Unix time: two in a row give the window.
    reset_stamp: Option<u64>,
    /// The shortest and the longest time to a reset: no window is shorter than their difference.
    resets: Option<(Duration, Duration)>,
    pub(super) gcra: Option<Gcra>,
    /// How many requests are left until the reset, if calls are not spaced.
    remaining: Option<u64>,
    /// How many were left by the last answer.
    reported: Option<u64>,
    /// The last request whose answer reported it.
    newest: u64,
    /// When the window began, about.
    began: Option<Instant>,
    /// Nothing is left until then.
    exhausted_until: Option<Instant>,
    /// Whether that has been confirmed.
    hint: Hint,
    reset_at: Option<Instant>,
    /// When the provider last reported it, or a request last tested it.
    last_update: Instant,
    /// Without another report, it is dropped then.
    pub(super) expires: Instant,
}

/// Which of the provider's limits it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitId {
    pub(super) scope: u64,
    /// The resource that it is for, if not for all.
    pub(super) resource: Option<u64>,
}

/// The request that an answer is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnsweredRequest {
    pub(super) number: u64,
    /// How many requests were sent after it.
    pub(super) since: u64,
    pub(super) route: Route,
}

impl ServerLimit {
    pub(super) fn new(of: LimitId, now: Instant) -> Self {
        Self {
            of,
            limit: None,
            window: None,
            is_sure: false,
            reset_stamp: None,
            resets: None,
            gcra: None,
            remaining: None,
            reported: None,
            newest: 0,
            began: None,
            exhausted_until: None,
            hint: Hint::NONE,
            reset_at: None,
            last_update: now,
            expires: now,
        }
    }

    pub(super) fn is_of(&self, of: LimitId) -> bool {
        self.of == of
    }

    /// Whether it limits requests for this resource, if that is known.
    pub(super) fn limits(&self, resource: Option<u64>) -> bool {
        self.of.resource.is_none() || self.of.resource == resource
    }

    pub(super) fn resource(&self) -> Option<u64> {
        self.of.resource
    }

    /// Updates the limit from an answer's headers.
    pub(super) fn update(
        &mut self,
        fact: &LimitFact,
        request: AnsweredRequest,
        on_limit: OnLimit,
        now: Instant,
    ) {
        self.last_update = now;
        self.limit = fact.limit.or(self.limit);
        if !self.is_outdated(fact, request, now) {
            self.newest = self.newest.max(request.number);
            let (is_new_window, is_fuller) = self.update_remaining(fact, now);
            self.update_window(fact, is_new_window, is_fuller);
            self.update_rate(fact, request, on_limit, now);
            if (fact.remaining, fact.reset) == (Some(0), None) {
                let known = self.reset_at.filter(|known| *known > now);
                self.exhausted_until = Some(known.unwrap_or(rt::after(now, self.refill())));
            }
            if let (OnLimit::Reject, Some(reported)) = (on_limit, fact.remaining) {
                // Assume that none of the later requests is counted yet: the lower bound of what is left.
                let least = reported.saturating_sub(request.since);
                // In a fixed window, our own count includes them.
                let counted = self.remaining.map_or(least, |left| left.min(reported));
                self.remaining = Some(least.max(counted));
            }
        }
        let lasts = self.window.unwrap_or_default().saturating_mul(2);
        let reset = fact.reset.unwrap_or_default();
        self.expires = rt::after(now, lasts.max(reset).max(MIN_RETENTION));
    }

    /// Whether a later request's answer came first, with less left. Answers may come in another order
    /// than their requests, and in a sliding window the count rises in between.
    fn is_outdated(&self, fact: &LimitFact, request: AnsweredRequest, now: Instant) -> bool {
        if request.number > self.newest {
            return false;
        }
        let is_less =
            self.reported.zip(fact.remaining).is_some_and(|(known, reported)| reported < known);
        let known = self.reset_at.and_then(|known| known.checked_sub(TOLERANCE));
        let is_before = known.zip(fact.reset).is_some_and(|(at, left)| rt::after(now, left) < at);
        !is_less || is_before
    }

    fn update_window(&mut self, fact: &LimitFact, is_new: bool, is_fuller: bool) {
        let before = self.reset_stamp;
        self.reset_stamp = fact.reset_stamp.or(before);
        if let Some(reset) = fact.reset {
            let (least, most) = self.resets.unwrap_or((reset, reset));
            self.resets = Some((least.min(reset), most.max(reset)));
        }
        if let Some(reported) = fact.window {
            (self.window, self.is_sure) = (Some(reported), true);
        } else if let Some(reset_stamp) = fact.reset_stamp {
            // Unless more is left than before, it is the same window, reported by another of the
            // provider's machines, or a sliding one.
            let between = before.filter(|before| is_fuller && reset_stamp > *before);
            let between = between.map(|before| Duration::from_secs(reset_stamp - before));
            let (least, most) = self.resets.unwrap_or_default();
            // Windows may pass without a request: the shortest time between two resets is one.
            if let Some(between) = between.filter(|between| *between + TOLERANCE >= most - least) {
                let known = self.window.filter(|_| self.is_sure).unwrap_or(between);
                (self.window, self.is_sure) = (Some(between.min(known)), true);
            }
        } else if let Some(counted) = fact.reset {
            // A countdown starts at the full window, which is known once a window begins.
            self.window = self.window.max(Some(counted));
            self.is_sure |= is_new && self.gcra.is_some() || counted <= SHORT_WINDOW;
        }
    }

    /// Updates what is left. Returns whether the answer belongs to a new window, and whether far more
    /// is left than before.
    fn update_remaining(&mut self, fact: &LimitFact, now: Instant) -> (bool, bool) {
        let reset_at = fact.reset.map(|reset| rt::after(now, reset));
        let is_later = match (reset_at, self.reset_at) {
            (Some(reported), Some(known)) => reported > rt::after(known, TOLERANCE),
            _ => true,
        };
        // Far more is left than before: a new window, even if the reset's time doesn't show it.
        let more = self.limit.unwrap_or_default() / 4 + 2;
        let is_fuller = self
            .reported
            .zip(fact.remaining)
            .is_some_and(|(old, new)| new >= old.saturating_add(more));
        self.reported = fact.remaining.or(self.reported);
        let is_new = is_later || is_fuller;
        if is_fuller {
            self.began = Some(now);
        }
        self.reset_at = reset_at.or(self.reset_at);
        // Resets are rounded to seconds, so the real one may be up to 1 s earlier.
        let ends = self.began.zip(self.window.filter(|_| self.is_sure));
        let ends = ends.map(|(began, window)| rt::after(began, window).max(now));
        match (fact.remaining, reset_at) {
            (Some(0), Some(reset_at)) => {
                let soonest = reset_at.checked_sub(A_SECOND).unwrap_or(reset_at);
                let ends = ends.unwrap_or(reset_at).clamp(soonest, reset_at);
                self.exhausted_until = Some(ends);
            }
            (Some(_), _) if is_new => self.exhausted_until = None,
            _ => {}
        }
        (is_new, is_fuller)
    }

    fn update_rate(
        &mut self,
        fact: &LimitFact,
        request: AnsweredRequest,
        on_limit: OnLimit,
        now: Instant,
    ) {
        let even = match (self.limit, self.window, fact.remaining, fact.reset) {
            // A short window is a rate.
            (Some(limit), Some(window), ..) if self.is_sure && window <= LONG_WINDOW => {
                Some((window, limit))
            }
            // People's calls are counted and not spaced.
            (.., Some(_), Some(_)) if on_limit == OnLimit::Reject => {
                self.gcra = None;
                return;
            }
            // The rest of a long window's quota is spread over the time until its reset.
            (.., Some(remaining), Some(reset)) => {
                let least = remaining.saturating_sub(request.since).max(remaining.min(1));
                Some((reset, least))
            }
            _ => None,
        };
        let Some((time, requests)) =
            even.filter(|(time, requests)| *requests > 0 && !time.is_zero())
        else {
            return;
        };
        let interval = time.as_secs_f64() / requests as f64 * HEADROOM;
        let interval = Duration::try_from_secs_f64(interval).unwrap_or(Duration::MAX);
        let burst_tolerance = match (on_limit, time > LONG_WINDOW) {
            // Not spaced: what is left is counted.
            (OnLimit::Reject, _) => time,
            (OnLimit::Shape, true) => time / 10,
            (OnLimit::Shape, false) => Duration::ZERO,
        };
        match &mut self.gcra {
            Some(gcra) => gcra.change(interval, burst_tolerance, now),
            None => {
                // Two thirds of the headroom, so that late requests still fit their window.
                let lateness = time.min(LONG_WINDOW).mul_f64((HEADROOM - 1.0) * 2.0 / 3.0);
                self.gcra = Some(Gcra::new(interval, burst_tolerance, now).with_lateness(lateness));
            }
        }
    }

    /// Whether the rate is that of a known window, and not an estimate from what is left.
    pub(super) fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// The answer with this report was a refusal.
    pub(super) fn confirm(&mut self) {
        self.hint = if self.is_nothing_left() { Hint::Confirmed } else { Hint::NONE };
    }

    /// Stops requests to its resource until then, whatever is left.
    pub(super) fn refuse_until(&mut self, until: Instant) {
        self.exhausted_until = self.exhausted_until.max(Some(until));
        self.expires = self.expires.max(rt::after(until, MIN_RETENTION));
        self.hint = Hint::Confirmed;
    }

    /// The answer with this report was a success: that nothing is left is only a hint.
    pub(super) fn observe_success(
        &mut self,
        fact: &LimitFact,
        request: AnsweredRequest,
        on_limit: OnLimit,
        cap: Duration,
        now: Instant,
    ) {
        if fact.remaining.is_some_and(|left| left > 0) && request.number >= self.newest {
            self.hint = Hint::NONE;
        }
        if let Some(reset) = fact.reset.filter(|_| self.is_nothing_left()) {
            self.hint = self.hint.suggested(reset, on_limit, cap, now);
            if self.hint == Hint::Disproved {
                self.ignore();
            }
        }
    }

    /// A request was accepted. If it tested a hint, the hint was wrong. True if that is news.
    pub(super) fn accepted(&mut self, request: AnsweredRequest) -> bool {
        let is_news = matches!(self.hint, Hint::Probing { .. }) && request.number >= self.newest;
        if is_news {
            self.hint = Hint::Disproved;
            self.ignore();
        }
        is_news
    }

    /// Ignores what was reported.
    fn ignore(&mut self) {
        (self.remaining, self.exhausted_until) = (None, None);
    }

    fn is_nothing_left(&self) -> bool {
        self.remaining == Some(0) || self.exhausted_until.is_some()
    }

    /// Until when the provider refuses requests.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        let until = self.exhausted_until.max(self.reset_at.filter(|_| self.remaining == Some(0)));
        until.filter(|_| self.hint == Hint::Confirmed)
    }

    /// When the next request may go. The rate of a long quota is an estimate, which holds for at most
    /// `cap` after the provider's last report.
    pub(super) fn ready_at(&self, cap: Duration, now: Instant) -> Instant {
        let spent = self.available_at(now);
        let spent = self.hint.try_at().map_or(spent, |at| spent.min(at));
        self.rate_allows_at(now).min(rt::after(self.last_update, cap)).max(spent)
    }

    /// When its rate allows the next request.
    fn rate_allows_at(&self, now: Instant) -> Instant {
        let paced = self.gcra.map_or(now, |gcra| gcra.ready_at());
        // A long window's quota limits only until its reset.
        let is_long_quota = self.window.is_none_or(|window| window > LONG_WINDOW);
        self.reset_at.filter(|_| is_long_quota).map_or(paced, |reset_at| paced.min(reset_at))
    }

    /// When requests are left again.
    fn available_at(&self, now: Instant) -> Instant {
        let none_left = self.reset_at.filter(|_| self.remaining == Some(0));
        none_left.or(self.exhausted_until).unwrap_or(now)
    }

    /// Whether the rate or the rest of the quota is known.
    pub(super) fn knows_remaining(&self) -> bool {
        self.gcra.is_some() || self.remaining.is_some()
    }

    /// Whether nothing is left of it, and something is known about when more will be.
    pub(super) fn is_exhausted(&self) -> bool {
        (self.reset_at.is_some() || self.gcra.is_some())
            && self.hint != Hint::Disproved
            && (self.reported == Some(0) || self.remaining == Some(0))
    }

    pub(super) fn take(&mut self, contended: bool, cap: Duration, now: Instant) {
        if self.rate_allows_at(now) > now && now >= rt::after(self.last_update, cap) {
            // This request tests the limit; the rest wait for its answer.
            self.last_update = now;
        }
        if self.available_at(now) > now {
            self.hint = self.hint.take(now);
        }
        if let Some(gcra) = &mut self.gcra {
            if let Some(exhausted_until) = self.exhausted_until.filter(|until| *until <= now) {
                gcra.hold(exhausted_until);
            }
            gcra.take(contended, now);
        }
        if self.reset_at.is_some_and(|at| now >= at) {
            // The next window, which no answer has reported yet.
            (self.remaining, self.exhausted_until, self.reset_at) =
                (self.remaining.and(self.limit), None, None);
            self.hint = self.hint.for_next_window();
            self.refill_quota(now);
        }
        self.remaining = self.remaining.map(|left| left.saturating_sub(1));
        if self.remaining == Some(0) && self.reset_at.is_none() {
            // Answers to requests in flight report more. Without any, one request tests the limit.
            let wait = if self.reported == Some(0) { self.refill() } else { A_SECOND };
            self.exhausted_until = Some(rt::after(now, wait));
        }
        if self.remaining == Some(0) {
            self.hint = self.hint.exhausted_by_count(self.reset_at, now);
        }
    }

    /// The window and its limit, if it is long and both are known.
    fn long_quota(&self) -> Option<(Duration, u64)> {
        let window = self.window.filter(|window| self.is_sure && *window > LONG_WINDOW);
        window.zip(self.limit.filter(|limit| *limit > 0))
    }

    /// In a new window, the whole quota sets the rate again.
    fn refill_quota(&mut self, now: Instant) {
        if let (Some((window, limit)), Some(gcra)) = (self.long_quota(), &mut self.gcra) {
            let interval = window.div_f64(limit as f64 / HEADROOM);
            gcra.change(interval.min(gcra.interval), gcra.burst_tolerance, now);
        }
    }

    /// The time until one more request is left, if no reset is reported: an even share of the window if
    /// that is known, else a second.
    fn refill(&self) -> Duration {
        let window = self.window.filter(|_| self.is_sure);
        let even = window.zip(self.limit.filter(|limit| *limit > 0));
        let reported = even.map(|(window, limit)| window.div_f64(limit as f64));
        reported.or(self.gcra.map(|gcra| gcra.interval)).unwrap_or(A_SECOND)
    }
}

/// How much slower than reported requests go. So they may be late by this share of the window, and
/// the window may begin at any time, without any window getting one too many.
const HEADROOM: f64 = 1.03;
/// Longer windows are quotas and not rates: a thousand a day is not one every 86 seconds.
const LONG_WINDOW: Duration = Duration::from_secs(60);
/// In windows up to this length, resets in whole seconds are too coarse to measure them.
const SHORT_WINDOW: Duration = Duration::from_secs(2);
/// Resets come in whole seconds, and answers mostly come within one.
const A_SECOND: Duration = Duration::from_secs(1);
/// How much two reports of the same reset may differ.
const TOLERANCE: Duration = Duration::from_millis(1_500);
/// How long a limit holds at least without another report.
const MIN_RETENTION: Duration = Duration::from_secs(60);
