use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context as TaskContext, Poll};

use tower_service::Service;

/// Panics when an instance is called that was not polled ready itself.
///
/// It can also be [made unready](Self::set_ready), and counts the calls of `poll_ready`.
#[derive(Debug)]
pub struct ReadinessProbe<S> {
    inner: S,
    readied: bool,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ready: AtomicBool,
    polls: AtomicU32,
}

impl<S> ReadinessProbe<S> {
    /// Wraps `inner`.
    pub fn new(inner: S) -> Self {
        let shared = Shared { ready: AtomicBool::new(true), polls: AtomicU32::new(0) };
        Self { inner, readied: false, shared: Arc::new(shared) }
    }

    /// Makes all clones ready or pending. It wakes no task: poll again.
    pub fn set_ready(&self, ready: bool) {
        self.shared.ready.store(ready, Ordering::SeqCst);
    }

    /// How often `poll_ready` was called, over all clones.
    #[must_use]
    pub fn polls(&self) -> u32 {
        self.shared.polls.load(Ordering::SeqCst)
    }
}

/// A clone carries no readiness.
impl<S: Clone> Clone for ReadinessProbe<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), readied: false, shared: Arc::clone(&self.shared) }
    }
}

impl<S: Service<R>, R> Service<R> for ReadinessProbe<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.shared.polls.fetch_add(1, Ordering::SeqCst);
        if !self.shared.ready.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        let ready = self.inner.poll_ready(cx);
        self.readied |= matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    fn call(&mut self, request: R) -> S::Future {
        assert!(self.readied, "a service was called that had not been polled ready");
        self.readied = false;
        self.inner.call(request)
    }
}
