use http::HeaderName;

use super::layer::DriftLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};

section! {
    /// `[drift]`
    DriftSettings {
        watch: bool,
        notice_headers: Vec<HeaderName>,
    }
}

impl Table<DriftLayer> for DriftSettings {
    fn of(layer: &DriftLayer) -> Self {
        let config = &layer.config;
        Self { watch: Some(config.watch), notice_headers: Some(config.notice_headers.clone()) }
    }

    fn merge(&self, layer: &mut DriftLayer, _: &mut Reader<'_>) {
        let config = &mut layer.config;
        assign(&mut config.watch, &self.watch);
        assign(&mut config.notice_headers, &self.notice_headers);
    }
}
