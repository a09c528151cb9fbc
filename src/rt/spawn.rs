use std::future::Future;

/// Runs `work` beside its caller, on the runtime that the caller is in; outside of one, drops it and
/// says no.
pub(crate) fn spawn<F>(work: F) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Handle::try_current();
    runtime.map(|runtime| drop(runtime.spawn(work))).is_ok()
}
