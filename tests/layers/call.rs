//! Requests, and one call through a service.

use std::pin::Pin;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use outrigger::{Body, Error};
use tower::{Service, ServiceExt};

pub(crate) fn get() -> Request<Body> {
    of(Method::GET)
}

pub(crate) fn post(body: impl Into<Body>) -> Request<Body> {
    of(Method::POST).map(|_| body.into())
}

pub(crate) fn of(method: Method) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static("https://api.example/v1/charges?secret=1");
    request
}

/// A POST under a key that its caller put there by hand.
pub(crate) fn keyed_post(body: impl Into<Body>) -> Request<Body> {
    let mut request = post(body);
    let key = http::HeaderValue::from_static("charge-1");
    request.headers_mut().insert("idempotency-key", key);
    request
}

/// One call, readiness included, on an instance of its own.
pub(crate) async fn send<S, B>(service: &S, request: Request<B>) -> Result<S::Response, S::Error>
where
    S: Service<Request<B>> + Clone,
{
    service.clone().oneshot(request).await
}

/// A service that is ready for a request of ours.
pub(crate) async fn ready<S>(service: &mut S) -> &mut S
where
    S: Service<Request<Body>, Error = Error>,
{
    service.ready().await.expect("ready")
}

/// The status of a call's answer; its body is dropped unread.
pub(crate) async fn status<S, B, R>(service: &S, request: Request<B>) -> Result<u16, Error>
where
    S: Service<Request<B>, Response = Response<R>, Error = Error> + Clone,
{
    let response = send(service, request).await?;
    Ok(response.status().as_u16())
}

/// A call and its whole answer.
pub(crate) async fn fetch<S, B, R>(service: &S, request: Request<B>) -> Result<Bytes, Error>
where
    S: Service<Request<B>, Response = Response<R>, Error = Error> + Clone,
    R: http_body::Body<Data = Bytes, Error = Error>,
{
    let response = send(service, request).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

/// The next frame of a body, if it is one of data.
pub(crate) async fn frame<B>(body: &mut Pin<Box<B>>) -> Option<Result<Bytes, Error>>
where
    B: http_body::Body<Data = Bytes, Error = Error>,
{
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}
