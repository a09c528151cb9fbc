use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{self, Sender};
use std::task::{Context, Poll};
use std::thread;

use tokio::task::{AbortHandle, JoinHandle};

/// A background task, which is cancelled when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(Option<AbortHandle>);

/// Work on a thread of its own, where it may block. It goes on if this is dropped.
///
/// A runtime's own blocking thread would delay the runtime's end while a read hangs. The runtime
/// only waits for the result, so that a paused clock stands still meanwhile; dropping this ends
/// that wait.
#[derive(Debug)]
pub(crate) struct Blocking<T> {
    waiting: JoinHandle<Option<T>>,
    give_up: Sender<Option<T>>,
}

/// Spawns `work` on the current runtime. Outside of a runtime, drops it and returns false.
pub(crate) fn spawn<F>(work: F) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Handle::try_current();
    runtime.map(|runtime| drop(runtime.spawn(work))).is_ok()
}

/// Spawns `work` for as long as the task is kept. Panics outside of a runtime.
pub(crate) fn spawn_task<F>(work: F) -> Task
where
    F: Future<Output = ()> + Send + 'static,
{
    Task(Some(tokio::runtime::Handle::current().spawn(work).abort_handle()))
}

/// Runs `work` on a thread of its own; `None` if it panicked, no thread could be started, or the
/// runtime is shutting down.
pub(crate) fn blocking<T, F>(work: F) -> Blocking<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (tell, told) = mpsc::channel();
    let give_up = tell.clone();
    let work = move || {
        // The receiver may have been dropped.
        let _ = tell.send(catch_unwind(AssertUnwindSafe(work)).ok());
    };
    if thread::Builder::new().name("outrigger file".to_owned()).spawn(work).is_err() {
        let _ = give_up.send(None);
    }
    let waiting = tokio::task::spawn_blocking(move || told.recv().ok().flatten());
    Blocking { waiting, give_up }
}

/// Runs `work`, which may block, on a thread of its own for as long as it likes.
#[cfg(feature = "sqlite")]
pub(crate) fn thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

impl<T> Future for Blocking<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.waiting).poll(cx).map(|result| result.ok().flatten())
    }
}

impl<T> Drop for Blocking<T> {
    fn drop(&mut self) {
        let _ = self.give_up.send(None);
    }
}

impl Task {
    /// Lets the task run to its end.
    pub(crate) fn detach(mut self) {
        self.0 = None;
    }

    /// Lets the task run until it is aborted by the handle.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn runtimes() -> [tokio::runtime::Runtime; 2] {
        let [mut one, mut several] = [
            tokio::runtime::Builder::new_current_thread(),
            tokio::runtime::Builder::new_multi_thread(),
        ];
        [&mut one, &mut several].map(|runtime| runtime.enable_all().build().expect("a runtime"))
    }

    #[test]
    fn work_that_hangs_keeps_no_runtime_from_ending() {
        for runtime in runtimes() {
            let (let_go, gate) = mpsc::channel::<()>();
            let (ended, end) = mpsc::channel();
            let (begin, begun) = mpsc::channel();
            let work = move || {
                begin.send(()).expect("the test waits");
                gate.recv()
            };
            runtime.block_on(async {
                spawn_task(async move { assert_eq!(blocking(work).await, None) }).detach();
                tokio::task::yield_now().await;
            });
            begun.recv_timeout(LONG).expect("it begins");
            thread::spawn(move || {
                drop(runtime);
                ended.send(()).expect("the test waits");
            });
            end.recv_timeout(LONG).expect("the runtime ends");
            drop(let_go);
        }
    }

    #[tokio::test]
    async fn what_work_comes_to_is_told_and_a_panic_is_nothing() {
        assert_eq!(blocking(|| 7).await, Some(7));
        assert_eq!(blocking(|| -> u8 { panic!("it fails") }).await, None);
    }

    const LONG: Duration = Duration::from_secs(20);
}
