use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tower_service::Service;

use super::status::{
    MEDIA_TYPE, MESSAGE, STATUS, UNKNOWN, class_in, code_of, code_of_http, is_grpc,
};
use crate::body::Body;
use crate::integration::call::Call;
use crate::integration::handle::Integration;
use crate::integration::tower::AnyBodyService;
use crate::outcome::{BoxError, Error};
use crate::retry::Retries;
use crate::terms::Delivery;

/// An integration as the service below a generated gRPC client. It never fails: what went wrong is an answer's
/// status. See [`Integration::grpc`].
#[derive(Clone, Debug)]
pub struct GrpcService(AnyBodyService);

/// The body of a [`GrpcService`]'s answer. It never fails: where it would break, its trailers say so.
#[derive(Debug)]
pub struct GrpcBody {
    body: Body,
    /// An earlier attempt was lost.
    is_doubtful: bool,
    /// It is, and no status has come yet.
    lacks_status: bool,
}

/// A call of a [`GrpcService`].
#[must_use = "a call gets no further until it is awaited"]
pub struct GrpcCall(Call);

impl Integration {
    /// A `tower::Service` for a generated gRPC client (tonic's, for example), in a channel's place.
    /// Build the integration with [`IntegrationBuilder::grpc`](crate::IntegrationBuilder::grpc). See
    /// [`grpc`](crate::grpc).
    #[must_use]
    pub fn grpc(&self) -> GrpcService {
        GrpcService(self.tower())
    }
}

impl<B> Service<Request<B>> for GrpcService
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<GrpcBody>;
    type Error = Infallible;
    type Future = GrpcCall;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> GrpcCall {
        GrpcCall(self.0.call(request))
    }
}

impl Future for GrpcCall {
    type Output = Result<Response<GrpcBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut response = ready!(Pin::new(&mut self.0).poll(cx)).unwrap_or_else(|error| {
            let mut response = Response::new(Body::empty());
            *response.headers_mut() = status_of(&error);
            let kind = HeaderValue::from_static(MEDIA_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        });
        let lost = |retries: &Retries| retries.earlier == Delivery::Unknown;
        let is_doubtful = response.extensions().get().is_some_and(lost);
        let mut lacks_status = is_doubtful && !response.headers().contains_key(STATUS);
        if lacks_status && !is_grpc(response.headers()) {
            // Its client would make a status of it that says nothing of that.
            let status = code_of_http(response.status()).into();
            response.headers_mut().insert(STATUS, status);
            lacks_status = false;
        }
        mark(response.headers_mut(), is_doubtful);
        Poll::Ready(Ok(response.map(|body| GrpcBody { body, is_doubtful, lacks_status })))
    }
}

impl fmt::Debug for GrpcCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrpcCall")
    }
}

impl HttpBody for GrpcBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Err(error)) => {
                (self.body, self.lacks_status) = (Body::empty(), false);
                Some(Frame::trailers(status_of(&error)))
            }
            Some(Ok(frame)) => Some(match frame.into_trailers() {
                Ok(mut trailers) => {
                    self.lacks_status = false;
                    mark(&mut trailers, self.is_doubtful);
                    Frame::trailers(trailers)
                }
                Err(frame) => frame,
            }),
            None if std::mem::take(&mut self.lacks_status) => {
                let mut trailers = HeaderMap::from_iter([(STATUS, u16::from(UNKNOWN).into())]);
                mark(&mut trailers, true);
                Some(Frame::trailers(trailers))
            }
            None => None,
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && !self.lacks_status
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Says of a failure that an attempt before it was lost.
fn mark(headers: &mut HeaderMap, is_doubtful: bool) {
    let failed = class_in(headers).is_some_and(|class| !class.is_success());
    if is_doubtful && failed && !headers.contains_key(DELIVERY) {
        headers.insert(DELIVERY, HeaderValue::from_static(Delivery::Unknown.name()));
    }
}

/// An error as the headers, or the trailers, that say so.
fn status_of(error: &Error) -> HeaderMap {
    let message = HeaderValue::try_from(encode(&error.to_string()));
    let mut headers = HeaderMap::new();
    headers.insert(STATUS, u16::from(code_of(error)).into());
    headers.extend(message.ok().map(|message| (MESSAGE, message)));
    headers.insert(DELIVERY, HeaderValue::from_static(error.delivery().name()));
    headers.insert(ATTEMPTS, error.attempts().into());
    headers
}

/// A message as it stands in a header: visible ASCII and spaces, the rest of its UTF-8 percent-encoded.
fn encode(message: &str) -> String {
    let encode = |byte: u8| match byte {
        b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    message.bytes().map(encode).collect()
}

const DELIVERY: HeaderName = HeaderName::from_static("outrigger-delivery");
const ATTEMPTS: HeaderName = HeaderName::from_static("outrigger-attempts");
