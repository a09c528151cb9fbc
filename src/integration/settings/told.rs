//! Settings that a fleet tells, perhaps to instances of an older version.

use serde_json::Value;

use super::config::IntegrationConfig;
use crate::integration::handle::Integration;
use crate::settings::{ConfigError, ValidationError};

impl Integration {
    pub(in super::super) fn check_told(&self, table: &Value) -> Result<(), ConfigError> {
        self.check_config(&IntegrationConfig::read(table)?)
    }

    /// Applies what can be read of a table; what can't is returned.
    pub(in super::super) fn apply_told(
        &self,
        table: &Value,
    ) -> Result<Vec<ValidationError>, ConfigError> {
        let (mut table, mut left_out) = (table.clone(), Vec::new());
        let config = loop {
            match IntegrationConfig::read(&table) {
                Ok(config) => break config,
                // Each turn takes at least one setting out, so that it ends.
                Err(error) if take_out(&mut table, error.errors()) => {
                    left_out.extend_from_slice(error.errors());
                }
                Err(error) => return Err(error),
            }
        };
        self.apply(&config).map(|()| left_out)
    }

    pub(in super::super) fn told(&self) -> Value {
        // Settings are tables of words and numbers.
        serde_json::to_value(self.config()).unwrap_or_default()
    }
}

/// Takes the settings out that these errors name, and says whether there was one.
fn take_out(table: &mut Value, errors: &[ValidationError]) -> bool {
    // Each of them, and not only the first.
    let taken = errors.iter().filter(|error| take_one(table, error.field()).is_some());
    taken.count() > 0
}

/// A setting by its path: `retry.max_attempts`. Of a list, such as `limits[2]`, the whole is taken.
fn take_one(table: &mut Value, path: &str) -> Option<Value> {
    let path = path.split('[').next()?;
    let (tables, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut inner = table;
    for step in tables.split('.').filter(|step| !step.is_empty()) {
        inner = inner.get_mut(step)?;
    }
    inner.as_object_mut()?.remove(key)
}
