use std::time::Duration;

use http::HeaderName;

use super::layer::TimeoutLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};

section! {
    /// `[timeout]`
    TimeoutSettings {
        attempt: Option<Duration>,
        response_head: Option<Duration>,
        upload_stall: Option<Duration>,
        send_on: Option<HeaderName>,
    }
}

impl Table<TimeoutLayer> for TimeoutSettings {
    fn of(layer: &TimeoutLayer) -> Self {
        Self {
            attempt: Some(layer.attempt),
            response_head: Some(layer.response_head),
            upload_stall: Some(layer.upload_stall),
            send_on: Some(layer.send_on.clone()),
        }
    }

    fn merge(&self, layer: &mut TimeoutLayer, _: &mut Reader<'_>) {
        assign(&mut layer.attempt, &self.attempt);
        assign(&mut layer.response_head, &self.response_head);
        assign(&mut layer.upload_stall, &self.upload_stall);
        assign(&mut layer.send_on, &self.send_on);
    }
}
