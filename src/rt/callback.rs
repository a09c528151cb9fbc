//! Functions that the host gave, which may panic: the call goes on without what they would have said.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// What a host's function comes to; `None` if it panics.
///
/// No lock is held while it runs, and its caller has a safe default. The panic hook told what happened; an
/// event (feature `tracing`) tells which function it was.
pub(crate) fn call<T>(name: &'static str, function: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(function));
    if result.is_err() {
        tell(name);
    }
    result.ok()
}

/// What a host's future comes to; `None` if it panics.
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
    // Whoever listens is the host's, too.
    let _ = catch_unwind(|| {
        tracing::error!(target: "outrigger", callback = name, "a callback panicked");
    });
}

#[cfg(not(feature = "tracing"))]
fn tell(_: &'static str) {}
