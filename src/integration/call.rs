use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::Response;

use super::IntegrationWire;
use crate::body::Body;
use crate::outcome::Error;
use crate::pattern::Running;

/// A call to an integration. Dropping it cancels the call and frees everything that it holds.
#[must_use = "a call gets no further until it is awaited"]
pub struct Call(State);

enum State {
    Running(Running<IntegrationWire>),
    /// It was never sent.
    Refused(Option<Error>),
}

impl Call {
    pub(super) fn running(running: Running<IntegrationWire>) -> Self {
        Self(State::Running(running))
    }

    pub(super) fn refused(error: Error) -> Self {
        Self(State::Refused(Some(error)))
    }
}

impl Future for Call {
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Running(running) => {
                let response = ready!(Pin::new(running).poll(cx));
                Poll::Ready(response.map(|response| response.map(Body::from)))
            }
            State::Refused(error) => {
                Poll::Ready(Err(error.take().expect("polled after it was ready")))
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}
