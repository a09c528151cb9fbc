use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::Response;

use super::edge::BoxedCall;
use crate::body::Body;
use crate::outcome::Error;

/// A call to an integration. Dropping it cancels the call and releases all that it holds.
#[must_use = "a call gets no further until it is awaited"]
pub struct Call(pub(super) BoxedCall);

impl Future for Call {
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}
