use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::Frame;
use ring::digest;

use super::encoding::content_digest;
use crate::body::Body;
use crate::outcome::Error;

/// A body that is followed by its digest.
struct DigestedBody {
    inner: Body,
    /// Absent once the digest was sent.
    digest: Option<digest::Context>,
}

/// The request with a body that is followed by its digest.
pub(super) fn with_digest(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().remove(CONTENT_LENGTH);
    request.headers_mut().append(TRAILER, HeaderValue::from(CONTENT_DIGEST));
    request.map(|inner| {
        Body::new(DigestedBody { inner, digest: Some(digest::Context::new(&digest::SHA256)) })
    })
}

impl DigestedBody {
    fn end(&mut self, mut trailers: HeaderMap) -> Option<Frame<Bytes>> {
        let digest = content_digest(&self.digest.take()?.finish());
        let digest = HeaderValue::try_from(digest).expect("base64 may be in a header");
        trailers.insert(CONTENT_DIGEST, digest);
        Some(Frame::trailers(trailers))
    }
}

/// Its length is not known, because only then HTTP/1.1 has trailers.
impl http_body::Body for DigestedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(digest) = &mut this.digest else { return Poll::Ready(None) };
        let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(None) => return Poll::Ready(this.end(HeaderMap::new()).map(Ok)),
            other => return other,
        };
        Poll::Ready(match frame.into_data() {
            Ok(data) => {
                digest.update(&data);
                Some(Ok(Frame::data(data)))
            }
            Err(frame) => this.end(frame.into_trailers().unwrap_or_default()).map(Ok),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.digest.is_none()
    }
}

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
