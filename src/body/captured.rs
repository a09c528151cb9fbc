use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http_body::SizeHint;

use super::whole::{Body, IntoBytes, PolledFrame};
use crate::context::Capture;
use crate::outcome::Error;

/// A request's body, a part of which is recorded for a subscriber.
#[derive(Debug)]
pub(crate) struct Captured {
    inner: Body,
    capture: Arc<Capture>,
}

impl Captured {
    /// Records a part of the body while it is sent. Bytes in memory are recorded at once.
    pub(crate) fn wrap(body: Body, capture: Arc<Capture>) -> Body {
        match body.into_bytes() {
            Ok(bytes) => {
                capture.sent(&bytes);
                capture.sent_all();
                bytes.into()
            }
            Err(inner) => Body::new(Self { inner, capture }),
        }
    }
}

impl http_body::Body for Captured {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> PolledFrame {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.capture.sent(data);
        }
        if frame.is_none() || self.inner.is_end_stream() {
            self.capture.sent_all();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
