use std::time::Duration;

use super::config::{Learning, OnLimit, Quota};
use super::layer::RateLimitLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::words;

section! {
    /// `[rate_limit]`
    RateLimitSettings {
        requests: Option<u32>,
        per: Duration,
        burst: u32,
        account: Option<String>,
        on_limit: OnLimit,
        queue: u32,
        in_flight: Option<u32>,
        max_wait: Option<Duration>,
        learn: Learning,
        forget_after: Duration,
        pause_cap: Duration,
    }
}

impl Table<RateLimitLayer> for RateLimitSettings {
    fn of(layer: &RateLimitLayer) -> Self {
        let config = layer.config();
        // Jobs in flight follow the bulkhead's limit if no number was set.
        let follows = config.on_limit == OnLimit::Shape && config.in_flight.is_none();
        Self {
            requests: Some(config.quota.map(|quota| quota.requests)),
            per: config.quota.map(|quota| quota.per),
            burst: config.quota.map(|quota| quota.burst),
            account: Some(config.account.as_deref().map(str::to_owned)),
            on_limit: Some(config.on_limit),
            queue: Some(config.queue),
            in_flight: (!follows).then_some(config.in_flight),
            max_wait: Some(config.max_wait),
            learn: Some(config.learning),
            forget_after: Some(config.forget_after()),
            pause_cap: Some(config.pause_cap),
        }
    }

    fn merge(&self, layer: &mut RateLimitLayer, reader: &mut Reader<'_>) {
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
        if let Some(account) = &self.account {
            config.account = account.as_deref().map(Into::into);
        }
        assign(&mut config.on_limit, &self.on_limit);
        assign(&mut config.queue, &self.queue);
        assign(&mut config.in_flight, &self.in_flight);
        assign(&mut config.max_wait, &self.max_wait);
        assign(&mut config.learning, &self.learn);
        if let Some(time) = self.forget_after.filter(|time| *time != config.forget_after()) {
            // A value that follows from `on_limit` keeps following it.
            config.forget_after = Some(time);
        }
        assign(&mut config.pause_cap, &self.pause_cap);
        if config != *layer.config() {
            *layer = layer.clone().with_config(config);
        }
    }
}

impl RateLimitSettings {
    /// Evenly spaced jobs wait here for the bulkhead's permits, so there must not be a second bound.
    pub(crate) fn check_in_flight(
        &self,
        layer: &RateLimitLayer,
        next_id: Option<u32>,
        reader: &mut Reader<'_>,
    ) {
        let shapes = layer.config().on_limit == OnLimit::Shape;
        if let (Some(None), true, Some(next_id)) = (self.in_flight, shapes, next_id) {
            reader.under("in_flight", |reader| {
                reader.wrong(format!(
                    "where `on_limit` is \"shape\", the bulkhead's {next_id} next_id bound it: leave it out, give it a number, or take the bulkhead's limit away"
                ));
            });
        }
    }
}

words! {
    OnLimit {
        Self::Reject => "reject" as Self::Reject,
        Self::Shape => "shape" as Self::Shape,
    }
    Learning {
        Self::On => "on" as Self::On,
        Self::Off => "off" as Self::Off,
    }
}
