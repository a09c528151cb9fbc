use bytes::Bytes;
use http::{Request, Response};
use reqwest::ResponseBuilderExt;

use crate::body::{Body, IntoBytes};
use crate::error::{Delivery, Error, ErrorKind};

/// A request of reqwest's as one of `http`'s.
pub(crate) fn to_http(request: reqwest::Request) -> Result<Request<Body>, Error> {
    let request: Request<reqwest::Body> = request.try_into().map_err(unsendable)?;
    Ok(request.map(Body::from))
}

/// A request for reqwest. Bytes stay bytes: it can send them again after a redirect.
pub(super) fn to_client(request: Request<Body>) -> Result<reqwest::Request, Error> {
    let request = request.map(|body| match body.into_bytes() {
        Ok(bytes) => reqwest::Body::from(bytes),
        Err(stream) => reqwest::Body::wrap(stream),
    });
    request.try_into().map_err(unsendable)
}

/// A response from reqwest, which remembers where it came from.
pub(super) fn from_client(response: reqwest::Response) -> Response<reqwest::Body> {
    let url = Response::builder().url(response.url().clone()).body(());
    let mut response = Response::from(response);
    if let Ok(url) = url {
        response.extensions_mut().extend(url.into_parts().0.extensions);
    }
    response
}

/// A response of `http`'s as one of reqwest's.
pub(crate) fn to_reqwest(response: Response<Body>) -> reqwest::Response {
    response.map(reqwest::Body::wrap).into()
}

impl From<reqwest::Body> for Body {
    fn from(body: reqwest::Body) -> Self {
        match body.as_bytes() {
            Some([]) => Self::empty(),
            Some(bytes) => Bytes::copy_from_slice(bytes).into(),
            None => Self::new(body),
        }
    }
}

fn unsendable(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Request, Delivery::NotSent).with_source(error.without_url().into())
}
