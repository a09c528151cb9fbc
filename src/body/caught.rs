use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::SizeHint;

use super::whole::{Body, PolledFrame};
use crate::outcome::Error;

/// A request's body, as it is passed to a client.
///
/// A client polls it in a task of its own, which also carries other requests. So a panic is caught
/// here and becomes an error of the body.
#[derive(Debug)]
pub(crate) struct CaughtBody {
    /// Absent once it has failed: a body that panicked is not polled again.
    inner: Option<Body>,
    fate: BodyFate,
}

/// Reports to the sender whether the body failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyFate(Arc<AtomicBool>);

impl CaughtBody {
    /// Catches the panics of a body. Bytes in memory can't panic.
    pub(crate) fn wrap(body: &mut Body) -> Option<BodyFate> {
        if body.as_bytes().is_some() {
            return None;
        }
        let fate = BodyFate::default();
        let inner = Some(std::mem::take(body));
        *body = Body::new(Self { inner, fate: fate.clone() });
        Some(fate)
    }

    fn ask<T>(&self, question: impl FnOnce(&Body) -> T) -> Option<T> {
        let inner = self.inner.as_ref()?;
        let answer = catch_unwind(AssertUnwindSafe(|| question(inner))).ok();
        if answer.is_none() {
            self.fate.set_broken();
        }
        answer
    }

    /// Drops the body, which may panic again.
    fn release(&mut self) {
        let inner = self.inner.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(inner)));
    }
}

impl BodyFate {
    pub(crate) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set_broken(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl http_body::Body for CaughtBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        // If a method has panicked, the next frame is the error.
        let is_broken = self.fate.is_broken();
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx));
        let polled = (!is_broken).then(|| catch_unwind(frame).ok()).flatten();
        let panicked = || Poll::Ready(Some(Err(Error::body_failed("its body panicked"))));
        let polled = polled.unwrap_or_else(panicked);
        if let Poll::Ready(Some(Err(_))) = &polled {
            self.fate.set_broken();
            self.release();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        // A failed body still has an error to return.
        self.ask(Body::is_end_stream).unwrap_or(false)
    }

    fn size_hint(&self) -> SizeHint {
        self.ask(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for CaughtBody {
    fn drop(&mut self) {
        self.release();
    }
}
