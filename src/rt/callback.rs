//! Calls functions of the host, which may panic. The call goes on without their result.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Calls a host's function; `None` if it panics.
///
/// Callers hold no lock, and use a safe default for `None`. The panic hook reports the panic; an
/// event (feature `tracing`) names the function.
pub(crate) fn call<T>(name: &'static str, function: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(function));
    if result.is_err() {
        tell(name);
    }
    result.ok()
}

/// Runs a host's future; `None` if it panics.
pub(crate) async fn run<F: Future>(name: &'static str, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    poll_fn(|cx| match call(name, || work.as_mut().poll(cx)) {
        Some(polled) => polled.map(Some),
        None => Poll::Ready(None),
    })
    .await
}

#[cfg(feature = "tracing")]
fn tell(name: &'static str) {
    // The `tracing` subscriber is the host's, too, and may panic.
    let _ = catch_unwind(|| {
        tracing::error!(target: "outrigger", callback = name, "a callback panicked");
    });
}

#[cfg(not(feature = "tracing"))]
fn tell(_: &'static str) {}
