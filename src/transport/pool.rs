//! The figures of a connection pool, and a handle on it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use crate::control::Expiry;
use crate::outcome::Error;
use crate::settings::Errors;

pub use crate::control::{Closed, PoolFigures};

/// How many connections, and for how long; can be changed while requests are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct PoolLimits {
    pub(crate) per_host: u32,
    pub(crate) idle_per_host: usize,
    pub(crate) idle: Option<Duration>,
    pub(crate) life: Option<Duration>,
    /// How long a request waits for a free connection, or for a stream of one.
    pub(crate) acquire: Option<Duration>,
    /// How long making a connection may take.
    pub(crate) connect: Option<Duration>,
}

/// Reads an integration's own pool, and warms it up.
#[derive(Clone)]
pub struct PoolHandle(Arc<dyn PoolControl>);

/// What a pool lets others do.
pub(crate) trait PoolControl: Send + Sync {
    fn figures(&self) -> PoolFigures;
    fn expiries(&self) -> Vec<Expiry>;
    fn limits(&self) -> PoolLimits;
    fn set_limits(&self, limits: PoolLimits);
    fn warm_up(self: Arc<Self>, to: Uri, connections: u32) -> WarmUp;
}

pub(crate) type WarmUp = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl PoolLimits {
    /// No limits.
    pub(crate) fn unset() -> Self {
        let (per_host, idle_per_host) = (u32::MAX, usize::MAX);
        Self { per_host, idle_per_host, idle: None, life: None, acquire: None, connect: None }
    }

    pub(crate) fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("connect_timeout", self.connect);
        errors.refuse_zero("acquire_timeout", self.acquire);
        errors.refuse_zero("time_to_live", self.life);
        errors.refuse_zero("pool_idle_timeout", self.idle);
        if self.per_host == 0 {
            errors.add(
                "max_connections_per_host",
                "zero connections carry nothing: allow at least one",
            );
        }
    }
}

impl PoolHandle {
    #[cfg(feature = "hyper")]
    pub(crate) fn new(pool: Arc<dyn PoolControl>) -> Self {
        Self(pool)
    }

    /// The figures of this moment, all hosts together.
    #[must_use]
    pub fn figures(&self) -> PoolFigures {
        self.0.figures()
    }

    /// When the certificates end that hosts showed, and ours; the soonest first. Without the feature
    /// `rustls`, there are none.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        let mut expiries = self.0.expiries();
        expiries.sort_by_key(|expiry| expiry.at);
        expiries
    }

    pub(crate) fn limits(&self) -> PoolLimits {
        self.0.limits()
    }

    /// Other limits from now on; connections that are open stay, as far as there is room for them.
    pub(crate) fn set_limits(&self, limits: PoolLimits) {
        self.0.set_limits(limits);
    }

    /// Opens connections to the host of `to` before the first call needs one; at most as many as
    /// the pool may hold, and one where the host speaks HTTP/2.
    ///
    /// # Errors
    ///
    /// The first that can't be made; those that could stay.
    pub async fn warm_up(&self, to: Uri, connections: u32) -> Result<(), Error> {
        Arc::clone(&self.0).warm_up(to, connections).await
    }
}

impl fmt::Debug for PoolHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PoolHandle").field(&self.figures()).finish()
    }
}
