use std::future::Future;

/// Runs `work` beside its caller, on the runtime that the caller is in; outside of one, drops it.
pub(crate) fn spawn<F>(work: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        drop(runtime.spawn(work));
    }
}
