use super::config::Mode;
use super::layer::ValidateLayer;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::words;

section! {
    /// `[validate]`: which checks there are is code.
    ValidateSettings {
        mode: Mode,
        body_cap: usize,
        must_check: bool,
    }
}

impl Table<ValidateLayer> for ValidateSettings {
    fn of(layer: &ValidateLayer) -> Self {
        let config = &layer.config;
        Self {
            mode: Some(config.mode),
            body_cap: Some(config.body_cap),
            must_check: Some(config.must_check),
        }
    }

    fn merge(&self, layer: &mut ValidateLayer, _: &mut Reader<'_>) {
        let config = &mut layer.config;
        assign(&mut config.mode, &self.mode);
        assign(&mut config.body_cap, &self.body_cap);
        assign(&mut config.must_check, &self.must_check);
    }
}

words! {
    Mode {
        Self::Enforce => "enforce" as Self::Enforce,
        Self::ReportOnly => "report_only" as Self::ReportOnly,
        Self::Off => "off" as Self::Off,
    }
}
