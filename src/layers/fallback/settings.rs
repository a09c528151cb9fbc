use std::time::Duration;

use super::layer::FallbackLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};

section! {
    /// `[fallback]`: what it answers is code.
    FallbackSettings { limit: Duration }
}

impl Table<FallbackLayer> for FallbackSettings {
    fn of(layer: &FallbackLayer) -> Self {
        Self { limit: Some(layer.limit) }
    }

    fn merge(&self, layer: &mut FallbackLayer, _: &mut Reader<'_>) {
        assign(&mut layer.limit, &self.limit);
    }
}
