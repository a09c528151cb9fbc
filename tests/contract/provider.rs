use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use outrigger::BoxError;
use tower::Service;

/// An inner service that takes several polls for its answer and for each frame of its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provider {
    fault: Option<Fault>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It never becomes ready.
    Readying,
    /// It fails instead of answering.
    Calling,
    /// It answers, and its body breaks.
    Body,
    /// It answers 500.
    Status,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) request: Request<Bytes>,
    pub(crate) size: u64,
    pub(crate) ended: bool,
}

/// A body of a few frames, each of which is pending first.
#[derive(Debug)]
pub(crate) struct Frames {
    frames: VecDeque<Frame<Bytes>>,
    breaks: bool,
    paused: bool,
}

/// The failure at the bottom of a chain.
#[derive(Debug)]
pub(crate) struct Bottom;

/// What the user puts on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(pub(crate) u32);

impl Provider {
    pub(crate) fn with(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<Frames>, BoxError>
    where
        B: Body,
    {
        let (size, ended) = (request.body().size_hint(), request.body().is_end_stream());
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| "request body broke")?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
            request: Request::from_parts(parts, body.to_bytes()),
            size: size.exact().unwrap_or(u64::MAX),
            ended,
        });
        for _ in 0..PAUSES {
            pause().await;
        }
        if self.fault == Some(Fault::Calling) {
            return Err(Bottom.into());
        }
        let mut response = Response::new(Frames::new(self.fault == Some(Fault::Body)));
        *response.status_mut() = match self.fault {
            Some(Fault::Status) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::CREATED,
        };
        *response.version_mut() = Version::HTTP_2;
        let headers = response.headers_mut();
        headers.insert("location", HeaderValue::from_static("/charges/1"));
        headers.append("x-twice", HeaderValue::from_static("one"));
        headers.append("x-twice", HeaderValue::from_static("two"));
        response.extensions_mut().insert(Mark(201));
        Ok(response)
    }
}

impl<B> Service<Request<B>> for Provider
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Frames>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Frames>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(match self.fault {
            Some(Fault::Readying) => Err(Bottom.into()),
            _ => Ok(()),
        })
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

impl Frames {
    fn new(breaks: bool) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", HeaderValue::from_static("7"));
        let chunks = CHUNKS.map(|chunk| Frame::data(Bytes::from_static(chunk)));
        let frames = chunks.into_iter().chain([Frame::trailers(trailers)]);
        Self { frames: frames.collect(), breaks, paused: false }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.paused = !self.paused;
        if self.paused {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.breaks && self.frames.len() == CHUNKS.len() {
            self.frames.clear();
            return Poll::Ready(Some(Err(Bottom.into())));
        }
        Poll::Ready(self.frames.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.frames.iter().filter_map(Frame::data_ref);
        SizeHint::with_exact(left.map(|chunk| chunk.len() as u64).sum())
    }
}

impl fmt::Display for Bottom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cable was cut")
    }
}

impl std::error::Error for Bottom {}

async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub(crate) const CHUNKS: [&[u8]; 3] = [b"first ", b"then ", b"last"];
/// Polls that an answer's head takes before it is ready.
const PAUSES: u32 = 3;
