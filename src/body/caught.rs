use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::whole::Body;
use crate::outcome::{Error, ErrorKind};
use crate::terms::Delivery;

/// A request's body in the hands of a client.
///
/// A client polls it in a task of its own, which carries other requests too. So a panic ends here:
/// it becomes an error of the body.
#[derive(Debug)]
pub(crate) struct CaughtBody {
    /// Absent once it broke: a body that panicked is not asked again.
    inner: Option<Body>,
    fate: BodyFate,
}

/// Tells who sent a body whether it broke.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyFate(Arc<AtomicBool>);

impl CaughtBody {
    /// The same body, without its panics. Bytes that are here can't break.
    pub(crate) fn wrap(body: Body) -> (Body, Option<BodyFate>) {
        if body.as_bytes().is_some() {
            return (body, None);
        }
        let fate = BodyFate::default();
        let caught = Self { inner: Some(body), fate: fate.clone() };
        (Body::new(caught), Some(fate))
    }

    fn ask<T>(&self, question: impl FnOnce(&Body) -> T) -> Option<T> {
        let inner = self.inner.as_ref()?;
        let answer = catch_unwind(AssertUnwindSafe(|| question(inner))).ok();
        if answer.is_none() {
            self.fate.set_broken();
        }
        answer
    }

    /// Drops the body, which may panic once more.
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

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // A question that it panicked at is remembered: the next frame is the error.
        let is_broken = self.fate.is_broken();
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx));
        let polled = (!is_broken).then(|| catch_unwind(frame).ok()).flatten();
        let polled = polled.unwrap_or_else(|| Poll::Ready(Some(Err(panicked()))));
        if let Poll::Ready(Some(Err(_))) = &polled {
            self.fate.set_broken();
            self.release();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        // One that broke has an error to tell.
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

fn panicked() -> Error {
    Error::new(ErrorKind::Request, Delivery::Unknown).with_detail("its body panicked")
}
