//! Decodes the bodies of answers by tower-http, where the client asks for compressed ones.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready as ready_or_pending};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RANGE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use pin_project_lite::pin_project;
use tower_http::decompression::Decompression;
use tower_service::Service;

use super::body::{Received, ResponseBody};
use super::config::HyperConfig;
use super::last_byte::LastByteApart;
use crate::body::Body;
use crate::outcome::{BoxError, Error, ErrorKind};
use crate::terms::{Delivery, Fault};

/// Whether the answer to one request is to be decoded.
#[derive(Clone, Copy)]
pub(super) struct Decoding(bool);

/// A body that is decoded while it is read.
pub(super) struct Decoded {
    coding: &'static str,
    /// Absent once it has ended or failed.
    body: Option<BoxBody<Bytes, BoxError>>,
}

/// The service inside of tower-http's: it "sends" an answer that is there already.
///
/// tower-http's layer decodes whatever names a coding, also answers that have no body, and parts of
/// one. So it gets only the answers that are to be decoded.
struct Answered;

impl Decoding {
    /// Asks for compressed answers, unless the caller has said which codings may come. Of a part of a
    /// compressed answer, nobody could make anything.
    pub(super) fn ask(config: &HyperConfig, request: &mut Request<Body>) -> Self {
        if !config.decompression {
            return Self(false);
        }
        if !request.headers().contains_key(RANGE) {
            let codings = HeaderValue::from_static("gzip, br, zstd");
            request.headers_mut().entry(ACCEPT_ENCODING).or_insert(codings);
        }
        Self(request.method() != Method::HEAD)
    }

    pub(super) async fn decode(self, mut response: Response<Received>) -> Response<ResponseBody> {
        let Some(coding) = self.coding(&response) else { return response.map(Into::into) };
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        let decoded = match coding {
            "gzip" => decoded(response.map(LastByteApart::new)).await,
            _ => decoded(response).await,
        };
        decoded.map(|body| Decoded { coding, body: Some(body) }.into())
    }

    /// The answer's coding, if it is a single one that is known here. A list of them is left to the
    /// caller, as are answers without a body and parts of one (206).
    fn coding(self, response: &Response<Received>) -> Option<&'static str> {
        use StatusCode as S;
        let is_whole =
            !matches!(response.status(), S::NO_CONTENT | S::PARTIAL_CONTENT | S::NOT_MODIFIED);
        let mut values = response.headers().get_all(CONTENT_ENCODING).iter();
        let value = values.next().filter(|_| self.0 && is_whole)?.as_bytes().trim_ascii();
        if values.next().is_some() {
            return None;
        }
        // They have no case, and `x-gzip` is `gzip` (RFC 9110, 8.4.1).
        let (_, coding) = CODINGS.iter().find(|(name, _)| value.eq_ignore_ascii_case(name))?;
        Some(coding)
    }
}

impl<B> Service<Request<Response<B>>> for Answered {
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, answer: Request<Response<B>>) -> Self::Future {
        ready(Ok(answer.into_body()))
    }
}

async fn decoded<B>(answer: Response<B>) -> Response<BoxBody<Bytes, BoxError>>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError> + Send + Sync> + Send + Sync + 'static,
{
    let answer = answer.map(|body| Pausing { body, in_a_row: 0 });
    let decoded = Decompression::new(Answered).call(Request::new(answer)).await;
    decoded.unwrap_or_else(|never| match never {}).map(BodyExt::boxed)
}

pin_project! {
    /// A body that lets its reader's task look at its limits between some frames: a decoder reads on
    /// for as long as it has nothing to give, and frames of nothing may come without end.
    struct Pausing<B> {
        #[pin]
        body: B,
        in_a_row: u32,
    }
}

impl<B: HttpBody> HttpBody for Pausing<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        if *this.in_a_row == FRAMES_IN_A_ROW {
            *this.in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = this.body.poll_frame(cx);
        *this.in_a_row = if frame.is_ready() { *this.in_a_row + 1 } else { 0 };
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

impl HttpBody for Decoded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready_or_pending!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        let coding = self.coding;
        Poll::Ready(frame.map(|frame| frame.map_err(|error| explain(coding, error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }
}

/// An error of the connection stays what it is; any other is one of the bytes.
fn explain(coding: &str, error: BoxError) -> BoxError {
    if error.is::<hyper::Error>() {
        return error;
    }
    Error::new(ErrorKind::Transport(Fault::Body), Delivery::Answered)
        .with_detail(format!("it is no valid {coding}"))
        .with_source(error)
        .into()
}

/// So many are read in well under a millisecond.
const FRAMES_IN_A_ROW: u32 = 8;
/// What they are called in answers, and by tower-http.
const CODINGS: [(&[u8], &str); 4] =
    [(b"gzip", "gzip"), (b"x-gzip", "gzip"), (b"br", "br"), (b"zstd", "zstd")];
