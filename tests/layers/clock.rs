//! Time as the tests see it: paused, and moved only by waiting for it.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[expect(clippy::disallowed_methods, reason = "the tests' one clock")]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Lets paused time pass.
#[expect(clippy::disallowed_methods, reason = "the tests' one timer")]
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Cuts `work` off as an application's own timeout would: by dropping it.
#[expect(clippy::disallowed_methods, reason = "the tests' one cut")]
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    tokio::time::timeout(limit, work).await.ok()
}

/// How long `work` took, and what came of it.
pub(crate) async fn timed<F: Future>(work: F) -> (Duration, F::Output) {
    let began = now();
    let output = work.await;
    (now() - began, output)
}

#[expect(clippy::disallowed_methods, reason = "the tests' one spawn")]
pub(crate) fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(work)
}

/// Begins `work` in a task of its own and lets it run until it waits for something.
pub(crate) async fn begin<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let task = spawn(work);
    settle().await;
    task
}

/// Lets every task run as far as it can in this instant.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
