use std::time::Duration;

use super::adaptive::{Adaptive, Algorithm};
use super::layer::BulkheadLayer;
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::words;

section! {
    /// `[bulkhead]`
    BulkheadSettings {
        concurrency: Option<u32>,
        queue: u32,
        queue_wait: Option<Duration>,
        adaptive: Option<Algorithm>,
        adaptive_min: u32,
        adaptive_max: u32,
        adaptive_decrease: Ratio,
    }
}

impl Table<BulkheadLayer> for BulkheadSettings {
    fn of(layer: &BulkheadLayer) -> Self {
        let config = layer.config();
        let adaptive = config.adaptive.as_ref();
        let own = Self { queue_wait: Some(config.queue_wait), ..Self::default() };
        if layer.is_shared() {
            // The other settings are the shared limit's.
            return own;
        }
        Self {
            concurrency: Some(config.concurrency),
            queue: Some(config.queue),
            adaptive: Some(adaptive.map(|adaptive| adaptive.algorithm)),
            adaptive_min: adaptive.map(|adaptive| adaptive.min),
            adaptive_max: adaptive.map(|adaptive| adaptive.max),
            adaptive_decrease: adaptive.map(|adaptive| adaptive.decrease),
            ..own
        }
    }

    fn merge(&self, layer: &mut BulkheadLayer, reader: &mut Reader<'_>) {
        let before = layer.config();
        let mut config = before.clone();
        assign(&mut config.concurrency, &self.concurrency);
        assign(&mut config.queue, &self.queue);
        assign(&mut config.queue_wait, &self.queue_wait);
        let algorithm =
            self.adaptive.unwrap_or_else(|| before.adaptive.as_ref().map(|known| known.algorithm));
        config.adaptive = algorithm.map(|algorithm| {
            let known = before.adaptive.clone().unwrap_or_else(Adaptive::aimd);
            let mut adaptive = Adaptive { algorithm, ..known };
            assign(&mut adaptive.min, &self.adaptive_min);
            assign(&mut adaptive.max, &self.adaptive_max);
            assign(&mut adaptive.decrease, &self.adaptive_decrease);
            adaptive
        });
        let bounded = self.adaptive_min.is_some() || self.adaptive_max.is_some();
        if algorithm.is_none() && (bounded || self.adaptive_decrease.is_some()) {
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

    fn key_of<'f>(field: &'f str, _: &BulkheadLayer) -> &'f str {
        match field {
            "adaptive.min" => "adaptive_min",
            "adaptive.max" => "adaptive_max",
            "adaptive.decrease" => "adaptive_decrease",
            field => field,
        }
    }
}

words! {
    Algorithm {
        Self::Aimd => "aimd" as Self::Aimd,
        Self::Gradient => "gradient" as Self::Gradient,
    }
}
