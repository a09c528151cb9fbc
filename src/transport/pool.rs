//! What a pool of connections looks like from outside: its figures, and a handle on it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::Uri;

use crate::error::Error;

/// How many connections a pool has, and what became of those that it had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolFigures {
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses just now.
    pub idle: u32,
    /// Those of them that carry a request, or whose answer's body is being read.
    pub in_use: u32,
    /// Connections that are being made.
    pub connecting: u32,
    /// Requests that wait for a connection to come free.
    pub waiting: u32,
    /// Connections that were made since the pool was.
    pub opened: u64,
    /// Connections that were closed since the pool was made.
    pub closed: Closed,
}

/// Closed connections, by what closed them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The peer ended them in an orderly way.
    pub by_peer: u64,
    /// They broke.
    pub broken: u64,
    /// Nobody used them for too long.
    pub idle: u64,
    /// They were too old.
    pub expired: u64,
    /// A limit passed on them, or their caller went away in the middle.
    pub cut: u64,
    /// They led to the wrong server (421).
    pub misdirected: u64,
    /// There were more than were needed.
    pub surplus: u64,
}

/// Reads an integration's own pool, and warms it up.
#[derive(Clone)]
pub struct PoolHandle(Arc<dyn Control>);

/// What a pool lets others do.
pub(crate) trait Control: Send + Sync {
    fn figures(&self) -> PoolFigures;
    fn warm_up(self: Arc<Self>, to: Uri, connections: u32) -> WarmUp;
}

pub(crate) type WarmUp = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl PoolHandle {
    #[cfg(feature = "hyper")]
    pub(crate) fn new(pool: Arc<dyn Control>) -> Self {
        Self(pool)
    }

    /// The figures of this moment, all hosts together.
    #[must_use]
    pub fn figures(&self) -> PoolFigures {
        self.0.figures()
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
