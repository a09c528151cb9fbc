use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::decoding::Decoded;
use super::pool::Hold;
use crate::body::GuardedBody;
use crate::outcome::BoxError;

/// The body of an answer. It holds its connection until it has ended.
pub struct ResponseBody(Inner);

/// An answer's body as it came.
pub(super) type Received = GuardedBody<Incoming, Hold>;

enum Inner {
    Plain(Received),
    Decoded(Decoded),
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inner::Plain(body) => {
                let frame = Pin::new(body).poll_frame(cx);
                frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
            Inner::Decoded(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Plain(body) => body.is_end_stream(),
            Inner::Decoded(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Plain(body) => body.size_hint(),
            Inner::Decoded(body) => body.size_hint(),
        }
    }
}

impl From<Received> for ResponseBody {
    fn from(body: Received) -> Self {
        Self(Inner::Plain(body))
    }
}

impl From<Decoded> for ResponseBody {
    fn from(body: Decoded) -> Self {
        Self(Inner::Decoded(body))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
