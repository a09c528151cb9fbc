use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::outcome::BoxError;

/// What a layer wraps: a service that takes requests with the body `B` that the layer sends.
///
/// Implemented by every service of this form; there is nothing to implement by hand.
///
/// [`retry`](crate::retry) and [`hedge`](crate::hedge) send a [`ReplayBody`](crate::body::ReplayBody),
/// [`timeout`](crate::timeout) a [`RequestBody`](crate::timeout::RequestBody). A client of one body type
/// doesn't take them:
///
/// ```compile_fail
/// # use http::{Request, Response};
/// # use outrigger::{Body, Error, retry::RetryLayer};
/// # use tower::{ServiceBuilder, ServiceExt, service_fn};
/// # async fn call() -> Result<(), Error> {
/// let client = service_fn(async |_: Request<Body>| Ok::<_, Error>(Response::new(Body::empty())));
/// let service = ServiceBuilder::new().layer(RetryLayer::new()).service(client);
/// service.oneshot(Request::new(Body::empty())).await?;
/// # Ok(()) }
/// ```
///
/// A layer between turns the one into the other:
///
/// ```
/// # use http::{Request, Response};
/// # use outrigger::{Body, Error, retry::RetryLayer};
/// # use tower::{ServiceBuilder, ServiceExt, service_fn};
/// # async fn call() -> Result<(), Error> {
/// let client = service_fn(async |_: Request<Body>| Ok::<_, Error>(Response::new(Body::empty())));
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new())
///     .map_request(|request: Request<_>| request.map(Body::new))
///     .service(client);
/// service.oneshot(Request::new(Body::empty())).await?;
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "a layer can't send through `{Self}`",
    label = "doesn't take an `http::Request<{B}>`, or isn't fit to stand below a layer",
    note = "`RetryLayer` and `HedgeLayer` send a `ReplayBody`, `TimeoutLayer` a `RequestBody`: make a client of one body type generic over it, or put `tower::util::MapRequestLayer` between, which turns the body into the client's (`request.map(outrigger::Body::new)`)",
    note = "it must be `Clone + Send + 'static`, answer with an `http::Response` whose data is `From<Bytes>`, and fail with an error that becomes a `Box<dyn Error + Send + Sync>`"
)]
pub trait InnerService<B>:
    Service<
        Request<B>,
        Response = Response<Self::ResponseBody>,
        Error: Into<BoxError>,
        Future: Send,
    > + Clone
    + Send
    + 'static
{
    /// The body of its responses.
    type ResponseBody: Body<Data: From<Bytes> + Send + 'static, Error: Into<BoxError>>
        + Send
        + 'static;
}

#[diagnostic::do_not_recommend]
impl<S, B, R> InnerService<B> for S
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    R: Body + Send + 'static,
    R::Data: From<Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type ResponseBody = R;
}
