//! Without decompression.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame};

use super::body::{Received, ResponseBody};
use super::config::HyperConfig;
use crate::body::Body;
use crate::outcome::BoxError;

/// Nothing is.
#[derive(Clone, Copy)]
pub(super) struct Decoding;

/// There is none.
pub(super) struct Decoded(Infallible);

impl Decoding {
    pub(super) fn ask(_: &HyperConfig, _: &mut Request<Body>) -> Self {
        Self
    }

    #[expect(clippy::unused_async, reason = "as where there is decompression")]
    pub(super) async fn decode(self, response: Response<Received>) -> Response<ResponseBody> {
        response.map(Into::into)
    }
}

impl HttpBody for Decoded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.0 {}
    }
}
