use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::body::Body;
use crate::outcome::BoxError;

/// What can stand at the bottom of an integration's stack.
///
/// Implemented by every service of this form; there is nothing to implement by hand.
#[diagnostic::on_unimplemented(
    message = "an integration can't send through `{Self}`",
    label = "isn't a `tower::Service<http::Request<outrigger::Body>>`, or isn't fit to be shared by calls",
    note = "make a client of another body type one by `tower::util::MapRequestLayer`, which turns the body into the client's",
    note = "it must be `Clone + Send + Sync + 'static`, answer with an `http::Response` whose body's data are `bytes::Bytes`, and fail with an error that becomes a `Box<dyn Error + Send + Sync>`",
    note = "a `reqwest::Client` is given by `.reqwest(client)`, with the feature `reqwest`"
)]
pub trait Transport:
    Service<
        Request<Body>,
        Response = Response<Self::ResponseBody>,
        Error: Into<BoxError>,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// The body of its responses.
    type ResponseBody: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static;
}

#[diagnostic::do_not_recommend]
impl<S, B> Transport for S
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    type ResponseBody = B;
}
