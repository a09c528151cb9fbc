use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::{AbortHandle, JoinHandle};

/// Work beside its caller, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(Option<AbortHandle>);

/// Work where it may block: it goes on whether or not anybody waits for it.
#[derive(Debug)]
pub(crate) struct Blocking<T>(JoinHandle<T>);

/// Runs `work` beside its caller, on the runtime that the caller is in; outside of one, drops it and
/// says no.
pub(crate) fn spawn<F>(work: F) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Handle::try_current();
    runtime.map(|runtime| drop(runtime.spawn(work))).is_ok()
}

/// Runs `work` beside its caller for as long as the task is kept; panics outside of a runtime.
pub(crate) fn spawn_task<F>(work: F) -> Task
where
    F: Future<Output = ()> + Send + 'static,
{
    Task(Some(tokio::runtime::Handle::current().spawn(work).abort_handle()))
}

/// Runs `work` where it may block; `None` if it panicked or the runtime is ending.
pub(crate) fn blocking<T, F>(work: F) -> Blocking<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Blocking(tokio::task::spawn_blocking(work))
}

/// What `work` comes to; `None` if it panics.
pub(crate) async fn caught<F: Future>(work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

impl<T> Future for Blocking<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(cx).map(Result::ok)
    }
}

impl Task {
    /// Lets it run on.
    pub(crate) fn detach(mut self) {
        self.0 = None;
    }

    /// Lets it run on until somebody ends it.
    #[cfg(feature = "hyper")]
    pub(crate) fn into_handle(mut self) -> AbortHandle {
        self.0.take().expect("a task has its handle until it is let go")
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
