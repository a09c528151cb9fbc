use std::future::Future;

use tokio::task::AbortHandle;

/// Work beside its caller, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(Option<AbortHandle>);

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
pub(crate) async fn blocking<T, F>(work: F) -> Option<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work).await.ok()
}

impl Task {
    /// Lets it run on.
    pub(crate) fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
