//! Time as the worlds have it: paused, and moved only by waiting for it.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::Sleep;

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[expect(clippy::disallowed_methods, reason = "the worlds' one clock")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "the worlds' one timer")]
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A timer that can be set anew.
#[expect(clippy::disallowed_methods, reason = "the worlds' one alarm")]
pub(crate) fn until(at: Instant) -> Sleep {
    tokio::time::sleep_until(at.into())
}

/// Lets time pass in which nothing runs.
pub(crate) async fn jump(time: Duration) {
    tokio::time::advance(time).await;
}

/// Cuts `work` off by dropping it.
#[expect(clippy::disallowed_methods, reason = "the worlds' one cut")]
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    tokio::time::timeout(limit, work).await.ok()
}

#[expect(clippy::disallowed_methods, reason = "the worlds' one spawn")]
pub(crate) fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(work)
}
