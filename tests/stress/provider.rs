//! A provider that does what each request's path says, and counts who is with it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use tower::Service;

#[derive(Clone, Default)]
pub(crate) struct Provider(Arc<Counts>);

#[derive(Default)]
struct Counts {
    here: AtomicU32,
    most: AtomicU32,
    begun: AtomicU32,
}

/// A call that is with the provider until its answer's head is there.
struct Visit(Provider);

type Answer = Response<BoxBody<Bytes, io::Error>>;

impl Provider {
    /// How many calls are with it.
    pub(crate) fn here(&self) -> u32 {
        self.0.here.load(Ordering::SeqCst)
    }

    /// How many were at a time.
    pub(crate) fn most(&self) -> u32 {
        self.0.most.load(Ordering::SeqCst)
    }

    fn visit(&self) -> Visit {
        let here = self.0.here.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(here, Ordering::SeqCst);
        Visit(self.clone())
    }

    /// Whether this is one of every other call.
    fn every_other(&self) -> bool {
        self.0.begun.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.0.here.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<B: Send + 'static> Service<Request<B>> for Provider {
    type Response = Answer;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Answer>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let visit = self.visit();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            tokio::task::yield_now().await;
            let is_bad = path == "/sometimes" && visit.0.every_other();
            match path.as_str() {
                "/unavailable" => Ok(answer(503, whole())),
                "/sometimes" if is_bad => Ok(answer(503, whole())),
                "/throttled" => Ok(answer(429, whole())),
                "/refused" => Err(io::ErrorKind::ConnectionRefused.into()),
                "/hangs" => std::future::pending().await,
                "/slow" => {
                    tokio::time::sleep(Duration::from_millis(1_500)).await;
                    Ok(answer(200, whole()))
                }
                "/breaks" => Ok(answer(200, broken())),
                "/silent" => Ok(answer(200, silent())),
                _ => Ok(answer(200, whole())),
            }
        })
    }
}

fn answer(status: u16, body: BoxBody<Bytes, io::Error>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
    answer
}

fn whole() -> BoxBody<Bytes, io::Error> {
    BoxBody::new(Full::new(Bytes::from_static(&[b'x'; 200])).map_err(|never| match never {}))
}

/// A part, and then an error.
fn broken() -> BoxBody<Bytes, io::Error> {
    let part = Ok(http_body::Frame::data(Bytes::from_static(b"part")));
    let parts = [part, Err(io::ErrorKind::ConnectionReset.into())];
    BoxBody::new(StreamBody::new(futures_util::stream::iter(parts)))
}

/// A part, and then nothing.
fn silent() -> BoxBody<Bytes, io::Error> {
    use futures_util::StreamExt;
    let part = Ok(http_body::Frame::data(Bytes::from_static(b"part")));
    let rest = futures_util::stream::once(std::future::ready(part));
    BoxBody::new(StreamBody::new(rest.chain(futures_util::stream::pending())))
}
