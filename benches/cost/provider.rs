//! The service at the bottom of every subject, the request, and one call by hand.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use tower::Service;

/// When the provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// At the first poll.
    Ready,
    /// At the second, so that timers are armed as over a network.
    Yield,
}

/// Answers 200 with a body of 200 bytes. Copying it costs nothing.
#[derive(Clone, Copy)]
pub(crate) struct Provider {
    way: Way,
    /// Every other answer is a 503, where there is something that tells which.
    failed: Option<&'static AtomicBool>,
    /// Answers may be stored, for this long.
    fresh_for: Option<&'static str>,
    body: &'static [u8],
}

pub(crate) struct Answering {
    way: Way,
    status: StatusCode,
    fresh_for: Option<&'static str>,
    body: &'static [u8],
}

/// Never answers, so that a call stays where it is.
#[derive(Clone, Copy)]
pub(crate) struct Silent;

type Answer = Response<Full<Bytes>>;

const BODY: &[u8] = &[b'x'; 200];
/// As long.
#[cfg(feature = "json")]
const JSON: &[u8] = br#"{"id":"ch_1042","amount":1000,"currency":"eur","paid":true,"items":[{"sku":"a1","count":2},{"sku":"b2","count":1}],"shipping":{"city":"Turin","zip":"10121"},"note":"leave it with the neighbours....."}"#;

impl Provider {
    pub(crate) fn new(way: Way) -> Self {
        Self { way, failed: None, fresh_for: None, body: BODY }
    }

    /// Answers 503 and 200 in turn.
    pub(crate) fn failing_first(way: Way) -> Self {
        Self { failed: Some(Box::leak(Box::default())), ..Self::new(way) }
    }

    /// Answers what is fresh for a day, with four headers.
    pub(crate) fn cacheable(way: Way) -> Self {
        Self { fresh_for: Some("max-age=86400"), ..Self::new(way) }
    }

    /// Answers with JSON.
    #[cfg(feature = "json")]
    pub(crate) fn json(way: Way) -> Self {
        Self { body: JSON, ..Self::new(way) }
    }

    fn status(self) -> StatusCode {
        match self.failed.map(|failed| failed.fetch_xor(true, Ordering::Relaxed)) {
            Some(false) => StatusCode::SERVICE_UNAVAILABLE,
            Some(true) | None => StatusCode::OK,
        }
    }
}

impl<B> Service<Request<B>> for Provider {
    type Response = Answer;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        drop(black_box(request));
        let Self { way, fresh_for, body, .. } = *self;
        Answering { way, status: self.status(), fresh_for, body }
    }
}

impl Future for Answering {
    type Output = Result<Answer, Infallible>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match std::mem::replace(&mut self.way, Way::Ready) {
            Way::Yield => Poll::Pending,
            Way::Ready => {
                let mut answer = Response::new(Full::new(Bytes::from_static(self.body)));
                *answer.status_mut() = self.status;
                if let Some(fresh_for) = self.fresh_for {
                    let headers = answer.headers_mut();
                    headers.insert("cache-control", HeaderValue::from_static(fresh_for));
                    headers.insert("content-type", HeaderValue::from_static("application/json"));
                    headers.insert("etag", HeaderValue::from_static("\"33a64df5\""));
                    headers.insert("x-request-id", HeaderValue::from_static("order-1042"));
                }
                Poll::Ready(Ok(answer))
            }
        }
    }
}

impl<B> Service<Request<B>> for Silent {
    type Response = Answer;
    type Error = Infallible;
    type Future = std::future::Pending<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        std::future::pending()
    }
}

/// An ordinary request: a GET with four headers.
pub(crate) fn request<B: Default>() -> Request<B> {
    let mut request = Request::new(B::default());
    *request.uri_mut() = http::Uri::from_static("https://api.example/v1/charges");
    let headers = request.headers_mut();
    headers.insert("accept", HeaderValue::from_static("application/json"));
    headers.insert("accept-language", HeaderValue::from_static("en"));
    headers.insert("authorization", HeaderValue::from_static("Bearer token"));
    headers.insert("user-agent", HeaderValue::from_static("shop/1.0"));
    request
}

/// The same, with an id that its caller has already.
pub(crate) fn request_with_id<B: Default>() -> Request<B> {
    let mut request = request();
    request.headers_mut().insert("x-request-id", HeaderValue::from_static("order-1042"));
    request
}

/// One call on this thread, and its answer's body to the end. `wait` is run while it is pending.
pub(crate) fn call<S, R, B>(
    service: &mut S,
    request: Request<R>,
    wait: impl Fn(),
) -> Result<(), S::Error>
where
    S: Service<Request<R>, Response = Response<B>>,
    S::Error: Debug,
    B: http_body::Body<Data = Bytes>,
    B::Error: Debug,
{
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    let mut call = pin!(service.call(request));
    let answer = loop {
        match call.as_mut().poll(cx) {
            Poll::Ready(answer) => break answer?,
            Poll::Pending => wait(),
        }
    };
    assert_eq!(answer.status(), StatusCode::OK);
    let mut body = pin!(answer.into_body());
    let mut read = 0;
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(cx) {
        read += black_box(frame.unwrap().into_data().unwrap()).len();
    }
    assert_eq!(read, BODY.len());
    Ok(())
}
