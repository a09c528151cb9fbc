use std::time::Duration;

use http::HeaderName;

use super::layer::DriftLayer;
use super::shapes::ShapeConfig;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::LARGEST;

section! {
    /// `[drift]`
    DriftSettings {
        watch: bool,
        notice_headers: Vec<HeaderName>,
        shapes: Option<ShapeSettings>,
    }
}

section! {
    /// `[drift.shapes]`
    ShapeSettings {
        answers: u32,
        time: Duration,
        body_cap: usize,
    }
}

impl Table<DriftLayer> for DriftSettings {
    fn of(layer: &DriftLayer) -> Self {
        let config = &layer.config;
        Self {
            watch: Some(config.watch),
            notice_headers: Some(config.notice_headers.clone()),
            shapes: Some(config.shapes.as_ref().map(ShapeSettings::of)),
        }
    }

    fn merge(&self, layer: &mut DriftLayer, _: &mut Reader<'_>) {
        let config = &mut layer.config;
        assign(&mut config.watch, &self.watch);
        assign(&mut config.notice_headers, &self.notice_headers);
        if let Some(shapes) = &self.shapes {
            let known = config.shapes.take().unwrap_or_default();
            config.shapes = shapes.as_ref().map(|shapes| shapes.over(known));
        }
    }
}

impl ShapeSettings {
    fn of(config: &ShapeConfig) -> Self {
        Self {
            answers: Some(config.answers),
            time: Some(config.time),
            body_cap: Some(config.body_cap.min(LARGEST)),
        }
    }

    fn over(&self, mut config: ShapeConfig) -> ShapeConfig {
        assign(&mut config.answers, &self.answers);
        assign(&mut config.time, &self.time);
        assign(&mut config.body_cap, &self.body_cap);
        config
    }
}
