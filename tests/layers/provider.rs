//! Providers whose mood a test sets, and bodies that come frame by frame.

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use outrigger::Body;
use outrigger::testing::{Answer, Script};
use tokio::sync::mpsc;
use tower::Service;

/// Gives the answer that is set just now.
#[derive(Clone)]
pub(crate) struct Provider {
    answer: Arc<Mutex<Answer>>,
    begun: Arc<AtomicUsize>,
}

impl Provider {
    pub(crate) fn new(answer: Answer) -> Self {
        let (answer, begun) = (Arc::new(Mutex::new(answer)), Arc::default());
        Self { answer, begun }
    }

    pub(crate) fn set(&self, answer: Answer) {
        *self.answer.lock().expect("no test panics under the lock") = answer;
    }

    /// How many requests have come.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

impl<B> Service<Request<B>> for Provider
where
    Script: Service<Request<B>>,
{
    type Response = <Script as Service<Request<B>>>::Response;
    type Error = <Script as Service<Request<B>>>::Error;
    type Future = <Script as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().expect("no test panics under the lock");
        Script::new([answer.clone()]).call(request)
    }
}

/// Answers at once with these bodies, one a request; after the last, with nothing.
#[derive(Clone)]
pub(crate) struct Streaming(Arc<Mutex<VecDeque<Body>>>);

impl Streaming {
    pub(crate) fn new(bodies: impl IntoIterator<Item = Body>) -> Self {
        Self(Arc::new(Mutex::new(bodies.into_iter().collect())))
    }
}

impl<B> Service<Request<B>> for Streaming {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Ready<io::Result<Response<Body>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let body = self.0.lock().expect("no test panics under the lock").pop_front();
        ready(Ok(Response::new(body.unwrap_or_default())))
    }
}

/// The far end of a [`piped`] body; the body ends when this is dropped.
pub(crate) struct Pipe(mpsc::UnboundedSender<io::Result<Frame<Bytes>>>);

struct Piped(mpsc::UnboundedReceiver<io::Result<Frame<Bytes>>>);

/// A body of unknown length, fed by hand.
pub(crate) fn piped() -> (Pipe, Body) {
    let (send, receive) = mpsc::unbounded_channel();
    (Pipe(send), Body::new(Piped(receive)))
}

/// A body of unknown length that is all there, but comes frame by frame.
pub(crate) fn streamed(chunks: &[&'static str]) -> Body {
    let (pipe, body) = piped();
    chunks.iter().for_each(|chunk| pipe.feed(chunk));
    body
}

impl Pipe {
    pub(crate) fn feed(&self, chunk: &'static str) {
        // The reader may be gone, which is no business of who writes.
        let _ = self.0.send(Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
    }

    pub(crate) fn trailers(&self, trailers: HeaderMap) {
        let _ = self.0.send(Ok(Frame::trailers(trailers)));
    }

    pub(crate) fn break_off(&self) {
        let _ = self.0.send(Err(io::ErrorKind::ConnectionReset.into()));
    }

    pub(crate) fn is_read(&self) -> bool {
        !self.0.is_closed()
    }
}

impl http_body::Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx)
    }
}
