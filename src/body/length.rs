//! Compares a request's announced length with its body.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};
use http_body::{Body as _, Frame, SizeHint};

use super::whole::{Body, PolledFrame};
use crate::outcome::Error;

/// Checks the announced length of a request's body, or returns an error with the contradiction.
/// Clients trust that length: they would cut the body, or leave it out.
///
/// A stream with an announced length is counted while it is sent; the counter is returned.
pub(crate) fn check(request: &mut Request<Body>) -> Result<Option<Count>, Error> {
    let announces = |name: &HeaderName| *name == TRANSFER_ENCODING || *name == CONTENT_LENGTH;
    let mut declared = None;
    let size = request.body().size_hint();
    if request.headers().keys().any(announces) {
        if request.version() == Version::HTTP_10 {
            request.headers_mut().remove(TRANSFER_ENCODING);
        }
        if request.headers().contains_key(TRANSFER_ENCODING) {
            // With a transfer coding, there is no length (RFC 9112, 6.2).
            request.headers_mut().remove(CONTENT_LENGTH);
        }
        declared = declared_length(request.headers())?;
        if let Some(declared) = declared {
            agree(declared, &size)?;
            request.headers_mut().insert(CONTENT_LENGTH, declared.into());
        }
    }
    if request.body().as_bytes().is_some() {
        return Ok(None);
    }
    let length = declared.or(size.exact());
    // A stream that should be empty is polled here, because clients don't poll it at a length of 0.
    if length.is_none() || size.exact().is_none() && declared == Some(0) {
        request.headers_mut().remove(CONTENT_LENGTH);
        name_coding(request)?;
    }
    let Some(length) = length else { return Ok(None) };
    let count = Count::default();
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = Body::new(Counted::new(body, length, count.clone()));
    Ok(Some(count))
}

/// The value of the header, which may occur once.
fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let mut declared = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for length in value.as_bytes().split(|byte| *byte == b',') {
            let length = parsed(length.trim_ascii())
                .ok_or_else(|| Error::unsendable("its content-length is not a number"))?;
            match declared.replace(length) {
                Some(other) if other != length => {
                    let both = format!("its content-length is {other} bytes and {length} bytes");
                    return Err(Error::unsendable(both));
                }
                _ => {}
            }
        }
    }
    Ok(declared)
}

fn parsed(length: &[u8]) -> Option<u64> {
    let digits = length.iter().all(u8::is_ascii_digit).then_some(length)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn agree(declared: u64, size: &SizeHint) -> Result<(), Error> {
    let (least, most) = (size.lower(), size.upper().unwrap_or(u64::MAX));
    let has = match () {
        () if size.exact() == Some(declared) => return Ok(()),
        () if size.exact().is_some() => format!("{least}"),
        () if declared < least => format!("at least {least}"),
        () if declared > most => format!("at most {most}"),
        () => return Ok(()),
    };
    Err(Error::unsendable(format!(
        "its content-length is {declared} bytes, and its body has {has}"
    )))
}

/// For methods that seldom have a body, clients leave out a body of unknown length, unless this
/// header is set. HTTP/1.0 has no way to send one, and HTTP/2 needs none.
fn name_coding(request: &mut Request<Body>) -> Result<(), Error> {
    if request.version() == Version::HTTP_10 {
        return Err(Error::unsendable("its body has no known length, and http/1.0 can't send it"));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let chunked = HeaderValue::from_static("chunked");
        request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    }
    Ok(())
}

/// How a counted stream failed, if it did. Over HTTP/2, a client reports only that the stream was
/// reset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<OnceLock<String>>);

impl Count {
    /// The error of a call: of its own body, or else as the client reports it.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let Some(how) = self.0.get() else { return error };
        Error::body_failed(how.clone()).with_source(error.into())
    }
}

/// A stream that fails if it isn't as long as announced. Its last part is held back until the
/// stream has ended: a client that counts would take that part for the end, and miss the rest.
struct Counted {
    inner: Body,
    length: u64,
    left: u64,
    last: Option<Bytes>,
    trailers: Option<Frame<Bytes>>,
    is_over: bool,
    count: Count,
}

impl Counted {
    fn new(inner: Body, length: u64, count: Count) -> Self {
        Self { inner, length, left: length, last: None, trailers: None, is_over: false, count }
    }

    fn fail(&mut self, how: String) -> Error {
        (self.is_over, self.last) = (true, None);
        Error::body_failed(self.count.0.get_or_init(|| how).clone())
    }

    /// Returns a part of the stream, unless it may be the last: that one is held back.
    fn count(&mut self, data: Bytes) -> Option<Result<Frame<Bytes>, Error>> {
        let Some(left) = self.left.checked_sub(data.len() as u64) else {
            let most = self.length;
            let how = format!("its body is longer than the {most} bytes that it should have");
            return Some(Err(self.fail(how)));
        };
        let is_last = left == 0 && !data.is_empty();
        self.left = left;
        if !is_last {
            return Some(Ok(Frame::data(data)));
        }
        self.is_over = self.inner.is_end_stream();
        if self.is_over {
            return Some(Ok(Frame::data(data)));
        }
        self.last = Some(data);
        None
    }

    /// The stream has reached its end, or its trailers.
    fn end(&mut self, trailers: Option<Frame<Bytes>>) -> Option<Result<Frame<Bytes>, Error>> {
        if self.left > 0 {
            let (came, all) = (self.length - self.left, self.length);
            return Some(Err(self.fail(format!("its body ended after {came} of {all} bytes"))));
        }
        self.is_over = true;
        self.trailers = trailers;
        let last = self.last.take().map(Frame::data);
        last.or_else(|| self.trailers.take()).map(Ok)
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        if self.is_over {
            return Poll::Ready(self.trailers.take().map(Ok));
        }
        loop {
            let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
            let counted = match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(self.end(None)),
                Some(Err(error)) => {
                    (self.is_over, self.last) = (true, None);
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(Err(trailers))) => return Poll::Ready(self.end(Some(trailers))),
                Some(Ok(Ok(data))) => self.count(data),
            };
            if counted.is_some() {
                return Poll::Ready(counted);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.is_over || self.length > 0 {
            true => {
                let held = self.last.as_ref().map_or(0, |last| last.len() as u64);
                SizeHint::with_exact(self.left + held)
            }
            // Clients don't poll a body that is known to be empty.
            false => SizeHint::default(),
        }
    }
}
