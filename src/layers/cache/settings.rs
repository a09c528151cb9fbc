use std::time::Duration;

use super::layer::CacheLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};

section! {
    /// `[cache]`: whether there is one is code, and so are its store and the windows of path templates.
    CacheSettings {
        fresh_for: Option<Duration>,
        stale_while_revalidate: Duration,
        stale_if_error: Duration,
        body_cap: usize,
    }
}

impl Table<CacheLayer> for CacheSettings {
    fn of(layer: &CacheLayer) -> Self {
        let config = &layer.config;
        Self {
            fresh_for: Some(config.windows.fresh_for),
            stale_while_revalidate: Some(config.windows.stale_while_revalidate),
            stale_if_error: Some(config.windows.stale_if_error),
            body_cap: Some(config.body_cap),
        }
    }

    fn merge(&self, layer: &mut CacheLayer, _: &mut Reader<'_>) {
        let config = &mut layer.config;
        assign(&mut config.windows.fresh_for, &self.fresh_for);
        assign(&mut config.windows.stale_while_revalidate, &self.stale_while_revalidate);
        assign(&mut config.windows.stale_if_error, &self.stale_if_error);
        assign(&mut config.body_cap, &self.body_cap);
    }
}
