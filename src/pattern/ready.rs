use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::outcome::{BoxError, Error};

/// An inner service, and whether this very instance was polled ready.
///
/// For layers that may report ready without asking it: what wasn't asked before is asked in the
/// call. A clone carries no readiness.
#[derive(Debug)]
pub(crate) struct Inner<S> {
    service: S,
    ready: bool,
}

pin_project! {
    /// A request to an inner service that may not be ready yet.
    #[project = SendingProjection]
    pub(crate) enum Sending<S, R>
    where
        S: Service<R>,
    {
        /// The inner service isn't ready yet: the request is still here.
        Readying { service: S, request: Option<R> },
        /// The call is on its way.
        Calling { #[pin] future: S::Future },
    }
}

impl<S> Inner<S> {
    pub(crate) fn new(service: S) -> Self {
        Self { service, ready: false }
    }

    pub(crate) fn poll_ready<R>(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>>
    where
        S: Service<R>,
        S::Error: Into<BoxError>,
    {
        let ready = self.service.poll_ready(cx);
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready.map_err(|error| Error::from_inner(error, None).unsent())
    }

    /// Sends by the instance that was polled ready; one that wasn't is polled first.
    pub(crate) fn send<R>(&mut self, request: R) -> Sending<S, R>
    where
        S: Service<R> + Clone,
    {
        match std::mem::take(&mut self.ready) {
            true => Sending::Calling { future: self.service.call(request) },
            false => self.take().send_owned(request),
        }
    }

    /// This very instance, ready or not; a clone takes its place.
    pub(crate) fn take(&mut self) -> Self
    where
        S: Clone,
    {
        let clone = self.clone();
        std::mem::replace(self, clone)
    }

    /// Lets go of an instance that is ready, where no call follows: it may hold something that others
    /// need sooner.
    pub(crate) fn let_go(&mut self)
    where
        S: Clone,
    {
        if self.ready {
            drop(self.take());
        }
    }

    /// The same, where nobody needs the instance any more.
    pub(crate) fn send_owned<R>(mut self, request: R) -> Sending<S, R>
    where
        S: Service<R>,
    {
        match self.ready {
            true => Sending::Calling { future: self.service.call(request) },
            false => Sending::Readying { service: self.service, request: Some(request) },
        }
    }
}

impl<S: Clone> Clone for Inner<S> {
    fn clone(&self) -> Self {
        Self::new(self.service.clone())
    }
}

impl<S, B> Future for Sending<S, Request<B>>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        loop {
            let future = match self.as_mut().project() {
                SendingProjection::Readying { service, request } => {
                    let ready = ready!(service.poll_ready(cx));
                    ready.map_err(|error| Error::unready(error, request.as_ref()))?;
                    service.call(request.take().expect("a request is sent once"))
                }
                SendingProjection::Calling { future } => {
                    return match future.poll(cx) {
                        Poll::Pending => Poll::Pending,
                        Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
                        Poll::Ready(Err(error)) => Poll::Ready(Err(Error::from_inner(error, None))),
                    };
                }
            };
            // Ready: the call goes on its way.
            self.set(Self::Calling { future });
        }
    }
}
