use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::lane::{Lane, lease_of};
use crate::settings::raw::Raw;
use crate::settings::read::{Reader, Setting};
use crate::settings::section::{assign, section};
use crate::settings::{ConfigError, ValidationError};

section! {
    /// What a file says of a lane.
    LaneTable {
        concurrency: usize,
        tenant_limit: Option<usize>,
        call_limit: Duration,
        lease: Duration,
    }
}

/// Settings of a [`Lane`], from TOML, JSON or whatever else serde reads (feature `serde`): `concurrency`, `tenant_limit`
/// (a number, or `"none"`), `call_limit` and `lease`, by default as in code.
///
/// As in [`IntegrationConfig`](crate::IntegrationConfig), a key that isn't known is an error, and all errors are told at once.
///
/// ```
/// use outrigger::outbox::{Lane, LaneConfig};
///
/// # fn lane(mailer: &outrigger::Integration) -> Result<Lane, Box<dyn std::error::Error>> {
/// let config: LaneConfig = toml::from_str("concurrency = 16\ntenant_limit = 4")?;
/// # Ok(
/// Lane::new(mailer).config(&config)
/// # )}
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct LaneConfig(LaneTable);

impl Lane {
    /// Lays settings of a file over those that were set in code (feature `serde`). A lease that code set stays, unless
    /// the file has one; else it follows the file's `call_limit`.
    pub fn config(mut self, config: &LaneConfig) -> Self {
        let LaneTable { concurrency, tenant_limit, call_limit, lease } = &config.0;
        assign(&mut self.concurrency, concurrency);
        assign(&mut self.tenant_limit, tenant_limit);
        if let Some(limit) = call_limit {
            let (lease, is_own) = (self.lease, self.lease != lease_of(self.call_limit));
            self = self.call_limit(*limit);
            if is_own {
                self.lease = lease;
            }
        }
        assign(&mut self.lease, lease);
        self
    }
}

impl<'de> Deserialize<'de> for LaneConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (raw, mut found) = (Raw::deserialize(deserializer)?, Vec::<ValidationError>::new());
        let table = LaneTable::read(&raw, &mut Reader::new(&mut found));
        ConfigError::check(None, found).map_err(serde::de::Error::custom)?;
        Ok(Self(table.unwrap_or_default()))
    }
}

impl Serialize for LaneConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write().serialize(serializer)
    }
}

impl fmt::Debug for LaneConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaneConfig({})", self.0.write())
    }
}
