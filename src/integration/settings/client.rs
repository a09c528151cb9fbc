//! The own client's pool.

use std::time::Duration;

use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::LARGEST;
use crate::transport::pool::PoolLimits;

section! {
    /// `[hyper]`: the client's settings that can be changed while it runs.
    Client {
        connect_timeout: Option<Duration>,
        acquire_timeout: Option<Duration>,
        max_connections_per_host: Option<u32>,
        pool_max_idle_per_host: Option<usize>,
        pool_idle_timeout: Option<Duration>,
        time_to_live: Option<Duration>,
    }
}

impl Table<PoolLimits> for Client {
    fn of(limits: &PoolLimits) -> Self {
        Self {
            connect_timeout: Some(limits.connect),
            acquire_timeout: Some(limits.acquire),
            max_connections_per_host: Some(Some(limits.per_host).filter(|most| *most < u32::MAX)),
            pool_max_idle_per_host: Some(Some(limits.idle_per_host).filter(|most| *most < LARGEST)),
            pool_idle_timeout: Some(limits.idle),
            time_to_live: Some(limits.life),
        }
    }

    fn merge(&self, limits: &mut PoolLimits, _: &mut Reader<'_>) {
        assign(&mut limits.connect, &self.connect_timeout);
        assign(&mut limits.acquire, &self.acquire_timeout);
        assign(&mut limits.idle, &self.pool_idle_timeout);
        assign(&mut limits.life, &self.time_to_live);
        if let Some(most) = self.max_connections_per_host {
            limits.per_host = most.unwrap_or(u32::MAX);
        }
        if let Some(most) = self.pool_max_idle_per_host {
            limits.idle_per_host = most.unwrap_or(usize::MAX);
        }
    }
}
