use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body as HttpBody;
use tower_service::Service;

use super::status::{MEDIA_TYPE, MESSAGE, STATUS, code_of};
use crate::body::Body;
use crate::integration::call::Call;
use crate::integration::handle::Integration;
use crate::integration::tower::AnyBodyService;
use crate::outcome::{BoxError, Error};

/// An integration as the service below a generated gRPC client. It never fails: what went wrong is an answer's
/// status. See [`Integration::grpc`].
#[derive(Clone, Debug)]
pub struct GrpcService(AnyBodyService);

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
    type Response = Response<Body>;
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
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let answered = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(Ok(answered.unwrap_or_else(|error| status_of(&error))))
    }
}

impl fmt::Debug for GrpcCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrpcCall")
    }
}

/// An error as an answer of one head.
fn status_of(error: &Error) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let message = HeaderValue::try_from(encode(&error.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(STATUS, u16::from(code_of(error)).into());
    headers.extend(message.ok().map(|message| (MESSAGE, message)));
    headers.insert(DELIVERY, HeaderValue::from_static(error.delivery().name()));
    headers.insert(ATTEMPTS, error.attempts().into());
    response
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
