use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::body::Body;
use crate::outcome::BoxError;

/// What can stand at the bottom of an integration's stack.
///
/// Implemented by every service of this form; there is nothing to implement by hand.
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
