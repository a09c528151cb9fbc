use std::time::{Duration, Instant};

use super::config::Excess;
use super::pace::Pace;
use super::resources::Route;
use crate::outcome::LimitFact;
use crate::rt;

/// One of the provider's limits, as its answers tell it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Learned {
    of: Of,
    limit: Option<u64>,
    window: Option<Duration>,
    /// The window was told, or measured from reset to reset.
    is_sure: bool,
    /// The last reset as a Unix time: two in a row tell the window.
    stamp: Option<u64>,
    /// The shortest and the longest time to a reset: no window is shorter than what lies between.
    resets: Option<(Duration, Duration)>,
    pub(super) pace: Option<Pace>,
    /// What is left until the reset, where requests may go as they come.
    left: Option<u64>,
    /// What was left by the last answer.
    told: Option<u64>,
    /// The last request whose answer told of it.
    newest: u64,
    /// When the window began, about.
    began: Option<Instant>,
    /// Nothing is left until then.
    spent_until: Option<Instant>,
    /// The provider refused, and so it is true.
    is_proven: bool,
    /// It was accepted what went in spite of that: such words aren't heeded until there are others.
    is_doubted: bool,
    /// When somebody may go to see whether it is true.
    try_at: Option<Instant>,
    /// Somebody went to see.
    is_tried: bool,
    reset_at: Option<Instant>,
    /// When the provider last spoke of it, or somebody went to see whether it still holds.
    heard: Instant,
    /// Without another word, it is forgotten then.
    pub(super) expires: Instant,
}

/// Which of the provider's limits it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) scope: u64,
    /// The only one of the provider's resources that it is of.
    pub(super) resource: Option<u64>,
}

/// The request whose answer it is, among all that went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) number: u64,
    /// How many went after it.
    pub(super) since: u64,
    pub(super) route: Route,
}

impl Learned {
    pub(super) fn new(of: Of, now: Instant) -> Self {
        Self {
            of,
            limit: None,
            window: None,
            is_sure: false,
            stamp: None,
            resets: None,
            pace: None,
            left: None,
            told: None,
            newest: 0,
            began: None,
            spent_until: None,
            is_proven: false,
            is_doubted: false,
            try_at: None,
            is_tried: false,
            reset_at: None,
            heard: now,
            expires: now,
        }
    }

    pub(super) fn is_of(&self, of: Of) -> bool {
        self.of == of
    }

    /// Whether it limits requests for this resource, which may not be known.
    pub(super) fn limits(&self, resource: Option<u64>) -> bool {
        self.of.resource.is_none() || self.of.resource == resource
    }

    pub(super) fn resource(&self) -> Option<u64> {
        self.of.resource
    }

    /// Takes the provider at its word.
    pub(super) fn hear(&mut self, fact: &LimitFact, asked: Asked, excess: Excess, now: Instant) {
        self.heard = now;
        self.limit = fact.limit.or(self.limit);
        if !self.is_outdated(fact, asked, now) {
            self.newest = self.newest.max(asked.number);
            let (is_new_window, is_fuller) = self.learn_left(fact, now);
            self.learn_window(fact, is_new_window, is_fuller);
            self.set_pace(fact, asked, excess, now);
            if (fact.remaining, fact.reset) == (Some(0), None) {
                let known = self.reset_at.filter(|known| *known > now);
                self.spent_until = Some(known.unwrap_or(rt::after(now, self.refill())));
            }
            if let (Excess::Reject, Some(told)) = (excess, fact.remaining) {
                // As if none of those that went since were counted in it: so much is left in any case.
                let least = told.saturating_sub(asked.since);
                // In a window that stands still, our own count knows of them.
                let counted = self.left.map_or(least, |left| left.min(told));
                self.left = Some(least.max(counted));
            }
        }
        let lasts = self.window.unwrap_or_default().saturating_mul(2);
        let reset = fact.reset.unwrap_or_default();
        self.expires = rt::after(now, lasts.max(reset).max(SHORTEST_MEMORY));
    }

    /// Whether a later request's answer was here before, and knew of less: answers overtake each other,
    /// and in a window that slides what was spent comes back in between.
    fn is_outdated(&self, fact: &LimitFact, asked: Asked, now: Instant) -> bool {
        if asked.number > self.newest {
            return false;
        }
        let is_less = self.told.zip(fact.remaining).is_some_and(|(known, told)| told < known);
        let known = self.reset_at.and_then(|known| known.checked_sub(TOLERANCE));
        let is_before = known.zip(fact.reset).is_some_and(|(at, left)| rt::after(now, left) < at);
        !is_less || is_before
    }

    fn learn_window(&mut self, fact: &LimitFact, is_new: bool, is_fuller: bool) {
        let before = self.stamp;
        self.stamp = fact.reset_stamp.or(before);
        if let Some(reset) = fact.reset {
            let (least, most) = self.resets.unwrap_or((reset, reset));
            self.resets = Some((least.min(reset), most.max(reset)));
        }
        if let Some(told) = fact.window {
            (self.window, self.is_sure) = (Some(told), true);
        } else if let Some(stamp) = fact.reset_stamp {
            // Without a refill, it is the same window, told by another of the provider's machines, or
            // one that slides.
            let between = before.filter(|before| is_fuller && stamp > *before);
            let between = between.map(|before| Duration::from_secs(stamp - before));
            let (least, most) = self.resets.unwrap_or_default();
            // Windows may pass without a request: the shortest time between two resets is one.
            if let Some(between) = between.filter(|between| *between + TOLERANCE >= most - least) {
                let known = self.window.filter(|_| self.is_sure).unwrap_or(between);
                (self.window, self.is_sure) = (Some(between.min(known)), true);
            }
        } else if let Some(counted) = fact.reset {
            // A time that counts down begins at the whole window, which is known once one began.
            self.window = self.window.max(Some(counted));
            self.is_sure |= is_new && self.pace.is_some() || counted <= SHORT;
        }
    }

    /// What is left; whether the answer belongs to a new window, and whether that shows by its
    /// having far more left.
    fn learn_left(&mut self, fact: &LimitFact, now: Instant) -> (bool, bool) {
        let reset_at = fact.reset.map(|reset| rt::after(now, reset));
        let is_later = match (reset_at, self.reset_at) {
            (Some(told), Some(known)) => told > rt::after(known, TOLERANCE),
            _ => true,
        };
        // There is far more than there was: of a short window, the reset's time doesn't show it.
        let more = self.limit.unwrap_or_default() / 4 + 2;
        let is_fuller =
            self.told.zip(fact.remaining).is_some_and(|(old, new)| new >= old.saturating_add(more));
        self.told = fact.remaining.or(self.told);
        let is_new = is_later || is_fuller;
        if is_fuller {
            self.began = Some(now);
        }
        self.reset_at = reset_at.or(self.reset_at);
        // Told in whole seconds, a reset may be up to a second sooner.
        let ends = self.began.zip(self.window.filter(|_| self.is_sure));
        let ends = ends.map(|(began, window)| rt::after(began, window).max(now));
        match (fact.remaining, reset_at) {
            (Some(0), Some(reset_at)) => {
                let soonest = reset_at.checked_sub(A_SECOND).unwrap_or(reset_at);
                let ends = ends.unwrap_or(reset_at).clamp(soonest, reset_at);
                self.spent_until = Some(ends);
            }
            (Some(_), _) if is_new => self.spent_until = None,
            _ => {}
        }
        (is_new, is_fuller)
    }

    fn set_pace(&mut self, fact: &LimitFact, asked: Asked, excess: Excess, now: Instant) {
        let even = match (self.limit, self.window, fact.remaining, fact.reset) {
            // A short window is a rate.
            (Some(limit), Some(window), ..) if self.is_sure && window <= LONG => {
                Some((window, limit))
            }
            // What goes as it comes is counted, and spread over no time.
            (.., Some(_), Some(_)) if excess == Excess::Reject => {
                self.pace = None;
                return;
            }
            // A long one is a stock, to last until there is more.
            (.., Some(remaining), Some(reset)) => {
                let least = remaining.saturating_sub(asked.since).max(remaining.min(1));
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
        let ahead = match (excess, time > LONG) {
            // As they come; what is left is counted.
            (Excess::Reject, _) => time,
            (Excess::Shape, true) => time / 10,
            (Excess::Shape, false) => Duration::ZERO,
        };
        match &mut self.pace {
            Some(pace) => pace.change(interval, ahead, now),
            None => {
                // Two thirds of the headroom, so that what is made up for still fits a window.
                let slack = time.min(LONG).mul_f64((HEADROOM - 1.0) * 2.0 / 3.0);
                self.pace = Some(Pace::new(interval, ahead, now).with_slack(slack));
            }
        }
    }

    /// Whether the pace is a promise, and not drawn from what is left of a window of unknown length.
    pub(super) fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// A refusal came with it.
    pub(super) fn prove(&mut self) {
        (self.is_proven, self.is_doubted) = (self.is_nothing_left(), false);
        (self.try_at, self.is_tried) = (None, false);
    }

    /// Nothing goes to its resource until then, whatever is left.
    pub(super) fn refuse_until(&mut self, until: Instant) {
        self.spent_until = self.spent_until.max(Some(until));
        self.expires = self.expires.max(rt::after(until, SHORTEST_MEMORY));
        (self.is_proven, self.is_doubted, self.try_at) = (true, false, None);
    }

    /// An answer that was no refusal told of it: that nothing is left is a hint, and somebody is to see
    /// whether it is true where it would stop people for longer than a short window, or jobs for longer
    /// than they wait.
    pub(super) fn doubt(
        &mut self,
        fact: &LimitFact,
        asked: Asked,
        excess: Excess,
        cap: Duration,
        now: Instant,
    ) {
        if fact.remaining.is_some_and(|left| left > 0) && asked.number >= self.newest {
            (self.is_proven, self.is_doubted, self.is_tried) = (false, false, false);
            self.try_at = None;
        }
        let Some(reset) = fact.reset.filter(|_| self.is_nothing_left() && !self.is_proven) else {
            return;
        };
        self.try_at = match excess {
            // Others wait for the answer to the one that went.
            _ if self.is_tried => self.try_at,
            Excess::Reject => (reset > LONG).then_some(now),
            Excess::Shape => self.try_at.or(Some(rt::after(now, cap))),
        };
        if self.is_doubted {
            self.set_aside();
        }
    }

    /// A request was accepted: if somebody went to see, what was said was not so. Whether that is news.
    pub(super) fn accepted(&mut self, asked: Asked) -> bool {
        let is_news = self.is_tried && asked.number >= self.newest;
        if is_news {
            (self.is_doubted, self.is_tried) = (true, false);
            self.set_aside();
        }
        is_news
    }

    /// What was said is not heeded.
    fn set_aside(&mut self) {
        (self.left, self.spent_until, self.try_at) = (None, None, None);
    }

    fn is_nothing_left(&self) -> bool {
        self.left == Some(0) || self.spent_until.is_some()
    }

    /// Until when the provider refuses.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        let until = self.spent_until.max(self.reset_at.filter(|_| self.left == Some(0)));
        until.filter(|_| self.is_proven)
    }

    /// When the next request may go. What is drawn from a stock is a guess, which holds for `cap` after
    /// the provider's last word at the most.
    pub(super) fn ready_at(&self, cap: Duration, now: Instant) -> Instant {
        let spent = self.spent_at(now);
        let spent = self.try_at.map_or(spent, |at| spent.min(at));
        self.paced_at(now).min(rt::after(self.heard, cap)).max(spent)
    }

    /// When its pace lets the next request go.
    fn paced_at(&self, now: Instant) -> Instant {
        let paced = self.pace.map_or(now, |pace| pace.ready_at());
        // A stock is to last until its reset, and no longer.
        let is_stock = self.window.is_none_or(|window| window > LONG);
        self.reset_at.filter(|_| is_stock).map_or(paced, |reset_at| paced.min(reset_at))
    }

    /// When something is left.
    fn spent_at(&self, now: Instant) -> Instant {
        let none_left = self.reset_at.filter(|_| self.left == Some(0));
        none_left.or(self.spent_until).unwrap_or(now)
    }

    /// Whether it is known how many requests may go.
    pub(super) fn is_told(&self) -> bool {
        self.pace.is_some() || self.left.is_some()
    }

    /// Whether nothing is left of it, and something is known of when there is more.
    pub(super) fn is_spent(&self) -> bool {
        (self.reset_at.is_some() || self.pace.is_some())
            && !self.is_doubted
            && (self.told == Some(0) || self.left == Some(0))
    }

    pub(super) fn take(&mut self, pressed: bool, cap: Duration, now: Instant) {
        if self.paced_at(now) > now && now >= rt::after(self.heard, cap) {
            // It goes to see; the others wait for what it is told, or as long again.
            self.heard = now;
        }
        if self.spent_at(now) > now && self.try_at.is_some_and(|at| at <= now) {
            // The others wait for its answer, which mostly is here within a second.
            (self.is_tried, self.try_at) = (true, Some(rt::after(now, A_SECOND)));
        }
        if let Some(pace) = &mut self.pace {
            if let Some(spent_until) = self.spent_until.filter(|until| *until <= now) {
                pace.hold(spent_until);
            }
            pace.take(pressed, now);
        }
        if self.reset_at.is_some_and(|at| now >= at) {
            // Another window, of which nothing has been told yet.
            (self.left, self.spent_until, self.reset_at) = (self.left.and(self.limit), None, None);
            (self.is_proven, self.is_tried, self.try_at) = (false, false, None);
            self.restock(now);
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        if self.left == Some(0) && self.reset_at.is_none() {
            // The answers to those that went know more; without any, one goes to see.
            let wait = if self.told == Some(0) { self.refill() } else { A_SECOND };
            self.spent_until = Some(rt::after(now, wait));
        }
        let is_far = self.reset_at.is_some_and(|at| at > rt::after(now, LONG));
        if self.left == Some(0) && is_far && self.try_at.is_none() && !self.is_proven {
            // By our count; the answers to those that went know more.
            self.try_at = Some(rt::after(now, A_SECOND));
        }
    }

    /// The window and its limit, where it is long and both are known.
    fn stock(&self) -> Option<(Duration, u64)> {
        let window = self.window.filter(|window| self.is_sure && *window > LONG);
        window.zip(self.limit.filter(|limit| *limit > 0))
    }

    /// What was left of a stock sets no pace any more, once it is full again.
    fn restock(&mut self, now: Instant) {
        if let (Some((window, limit)), Some(pace)) = (self.stock(), &mut self.pace) {
            let interval = window.div_f64(limit as f64 / HEADROOM);
            pace.change(interval.min(pace.interval), pace.ahead, now);
        }
    }

    /// How long until there is one more, where no reset is told: a window gives them back evenly, as
    /// far as is known of it, and one goes to see once a second otherwise.
    fn refill(&self) -> Duration {
        let window = self.window.filter(|_| self.is_sure);
        let even = window.zip(self.limit.filter(|limit| *limit > 0));
        let told = even.map(|(window, limit)| window.div_f64(limit as f64));
        told.or(self.pace.map(|pace| pace.interval)).unwrap_or(A_SECOND)
    }
}

/// How much slower than told: at an even pace, a window's edge may then fall anywhere, and requests
/// may be late by this share of the window, without one window getting one too many.
const HEADROOM: f64 = 1.03;
/// Longer windows are no rates: a thousand a day is not one every 86 seconds.
const LONG: Duration = Duration::from_secs(60);
/// A window that is shorter than what counting in seconds can tell of it.
const SHORT: Duration = Duration::from_secs(2);
/// Resets are told in whole seconds, and answers are mostly here within one.
const A_SECOND: Duration = Duration::from_secs(1);
/// How far apart two words on one reset may be.
const TOLERANCE: Duration = Duration::from_millis(1_500);
/// How long a limit holds at least that isn't told of again.
const SHORTEST_MEMORY: Duration = Duration::from_secs(60);
