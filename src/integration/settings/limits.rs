//! How much, how fast, for how long: the rate limit, the bulkhead, the timeouts.

use std::time::Duration;

use http::HeaderName;

use crate::bulkhead::{Adaptive, BulkheadLayer, Way};
use crate::rate_limit::{Excess, Learning, Quota, RateLimitLayer};
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{lay, section};
use crate::timeout::TimeoutLayer;

section! {
    /// `[rate_limit]`
    RateLimit {
        requests: Option<u32>,
        per: Duration,
        burst: u32,
        excess: Excess,
        queue: u32,
        in_flight: Option<u32>,
        max_wait: Option<Duration>,
        learn: Learning,
        forget_after: Duration,
        pause_cap: Duration,
    }
}

section! {
    /// `[bulkhead]`
    Bulkhead {
        concurrency: Option<u32>,
        queue: u32,
        queue_wait: Option<Duration>,
        adaptive: Option<Way>,
        adaptive_min: u32,
        adaptive_max: u32,
        adaptive_decrease: Ratio,
    }
}

section! {
    /// `[timeout]`
    Timeout {
        attempt: Option<Duration>,
        response_head: Option<Duration>,
        upload_stall: Option<Duration>,
        send_on: Option<HeaderName>,
    }
}

impl RateLimit {
    pub(super) fn of(layer: &RateLimitLayer) -> Self {
        let config = layer.config();
        // Jobs in flight follow the bulkhead's places where nothing else was set.
        let follows = config.excess == Excess::Shape && config.in_flight.is_none();
        Self {
            requests: Some(config.quota.map(|quota| quota.requests)),
            per: config.quota.map(|quota| quota.per),
            burst: config.quota.map(|quota| quota.burst),
            excess: Some(config.excess),
            queue: Some(config.queue),
            in_flight: (!follows).then_some(config.in_flight),
            max_wait: Some(config.max_wait),
            learn: Some(config.learning),
            forget_after: Some(config.forget_after()),
            pause_cap: Some(config.pause_cap),
        }
    }

    /// Jobs that are evenly spaced wait here for the bulkhead's places, however many those are.
    pub(super) fn check_in_flight(
        &self,
        layer: &RateLimitLayer,
        places: Option<u32>,
        reader: &mut Reader<'_>,
    ) {
        let shapes = layer.config().excess == Excess::Shape;
        if let (Some(None), true, Some(places)) = (self.in_flight, shapes, places) {
            reader.under("in_flight", |reader| {
                reader.wrong(format!(
                    "where `excess` is \"shape\", the bulkhead's {places} places bound it: leave it out, give it a number, or take the bulkhead's limit away"
                ));
            });
        }
    }

    pub(super) fn lay_over(&self, layer: &mut RateLimitLayer, reader: &mut Reader<'_>) {
        let mut config = layer.config().clone();
        let known = config.quota;
        let requests = self.requests.unwrap_or_else(|| known.map(|quota| quota.requests));
        let per = self.per.or_else(|| known.map(|quota| quota.per));
        config.quota = match (requests, per) {
            (Some(requests), Some(per)) => {
                let burst = self.burst.or_else(|| known.map(|quota| quota.burst)).unwrap_or(1);
                Some(Quota { requests, per, burst })
            }
            (Some(_), None) => {
                reader.under("per", |reader| {
                    reader.wrong("`requests` needs it: the time in which so many may go");
                });
                known
            }
            (None, _) => {
                for (key, named) in [("per", self.per.is_some()), ("burst", self.burst.is_some())] {
                    if named {
                        reader.under(key, |reader| reader.wrong("it needs `requests`: how many"));
                    }
                }
                None
            }
        };
        lay(&mut config.excess, &self.excess);
        lay(&mut config.queue, &self.queue);
        lay(&mut config.in_flight, &self.in_flight);
        lay(&mut config.max_wait, &self.max_wait);
        lay(&mut config.learning, &self.learn);
        if let Some(time) = self.forget_after.filter(|time| *time != config.forget_after()) {
            // What follows from `excess` goes on following it.
            config.forget_after = Some(time);
        }
        lay(&mut config.pause_cap, &self.pause_cap);
        if config != *layer.config() {
            *layer = layer.clone().with_config(config);
        }
    }
}

impl Bulkhead {
    pub(super) fn of(layer: &BulkheadLayer) -> Self {
        let config = layer.config();
        let adaptive = config.adaptive.as_ref();
        let own = Self { queue_wait: Some(config.queue_wait), ..Self::default() };
        if layer.is_shared() {
            // All else is the shared limit's.
            return own;
        }
        Self {
            concurrency: Some(config.concurrency),
            queue: Some(config.queue),
            adaptive: Some(adaptive.map(|adaptive| adaptive.way)),
            adaptive_min: adaptive.map(|adaptive| adaptive.min),
            adaptive_max: adaptive.map(|adaptive| adaptive.max),
            adaptive_decrease: adaptive.map(|adaptive| adaptive.decrease),
            ..own
        }
    }

    pub(super) fn lay_over(&self, layer: &mut BulkheadLayer, reader: &mut Reader<'_>) {
        let before = layer.config();
        let mut config = before.clone();
        lay(&mut config.concurrency, &self.concurrency);
        lay(&mut config.queue, &self.queue);
        lay(&mut config.queue_wait, &self.queue_wait);
        let way = self.adaptive.unwrap_or_else(|| before.adaptive.as_ref().map(|known| known.way));
        config.adaptive = way.map(|way| {
            let known = before.adaptive.clone().unwrap_or_else(Adaptive::aimd);
            let mut adaptive = Adaptive { way, ..known };
            lay(&mut adaptive.min, &self.adaptive_min);
            lay(&mut adaptive.max, &self.adaptive_max);
            lay(&mut adaptive.decrease, &self.adaptive_decrease);
            adaptive
        });
        let bounded = self.adaptive_min.is_some() || self.adaptive_max.is_some();
        if way.is_none() && (bounded || self.adaptive_decrease.is_some()) {
            reader.under("adaptive", |reader| {
                reader.wrong("what begins with `adaptive_` needs it: \"aimd\" or \"gradient\"");
            });
        }
        let shared_too = (&config.concurrency, config.queue, &config.adaptive)
            != (&before.concurrency, before.queue, &before.adaptive);
        if layer.is_shared() && shared_too {
            reader.wrong("its places are a limit's that others share: set them there");
        } else if config != before {
            *layer = layer.clone().with_config(&config);
        }
    }
}

impl Timeout {
    pub(super) fn of(layer: &TimeoutLayer) -> Self {
        Self {
            attempt: Some(layer.attempt),
            response_head: Some(layer.response_head),
            upload_stall: Some(layer.upload_stall),
            send_on: Some(layer.send_on.clone()),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut TimeoutLayer) {
        lay(&mut layer.attempt, &self.attempt);
        lay(&mut layer.response_head, &self.response_head);
        lay(&mut layer.upload_stall, &self.upload_stall);
        lay(&mut layer.send_on, &self.send_on);
    }
}
