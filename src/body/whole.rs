use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use pin_project_lite::pin_project;

use super::answer::{Answer, AnswerOf};
use super::read::collect;
use crate::outcome::{BoxError, Error};
use crate::rt::Lock;

/// The body of an integration's requests and responses: nothing, bytes, or a stream.
///
/// ```
/// use outrigger::Body;
///
/// let nothing = Body::empty();
/// let text = Body::from("amount=1000");
/// # async fn read(response: http::Response<Body>) -> Result<(), outrigger::Error> {
/// let text: String = response.into_body().text().await?;
/// # Ok(()) }
/// # let _ = (nothing, text);
/// ```
#[derive(Default)]
pub struct Body(Inner);

#[derive(Default)]
enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    /// Any other body. The lock makes it `Sync`; while it is polled, nobody else has it.
    Stream(Mutex<UnsyncBoxBody<Bytes, BoxError>>),
    /// A call's answer.
    Answer(Answer<Bytes>),
}

/// What `poll_frame` returns of a body of bytes.
pub(crate) type PolledFrame = Poll<Option<Result<Frame<Bytes>, Error>>>;

/// A body whose bytes may all be in memory.
pub(crate) trait IntoBytes: Sized {
    /// The bytes without a copy, if they are all in memory.
    fn into_bytes(self) -> Result<Bytes, Self>;
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// A body of any other type, as a stream. An empty one costs nothing.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match body.is_end_stream() {
            true => Self::empty(),
            false => Self(Inner::Stream(Mutex::new(UnsyncBoxBody::new(body.map_err(Into::into))))),
        }
    }

    /// A stream of bytes, whose length is not known.
    ///
    /// ```
    /// use outrigger::Body;
    ///
    /// let parts = futures_util::stream::iter(["a", "b"].map(Ok::<_, std::io::Error>));
    /// let body = Body::from_stream(parts);
    /// # let _ = body;
    /// ```
    pub fn from_stream<S, D, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<D, E>> + Send + 'static,
        D: Into<Bytes> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::new(StreamedBody { stream: Some(stream) })
    }

    /// The bytes, if they are all in memory.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Inner::Empty => Some(&[]),
            Inner::Bytes(bytes) => Some(bytes),
            Inner::Answer(answer) if answer.is_over() => Some(&[]),
            Inner::Stream(_) | Inner::Answer(_) => None,
        }
    }

    /// Which call it is the answer of, if it is one's and hasn't been read.
    pub(crate) fn answer_of(&self) -> Option<AnswerOf> {
        match &self.0 {
            Inner::Answer(answer) => answer.of(),
            _ => None,
        }
    }

    /// Another body with the same bytes, if they are all in memory.
    pub(crate) fn again(&self) -> Option<Self> {
        match &self.0 {
            Inner::Empty => Some(Self::empty()),
            Inner::Bytes(bytes) => Some(bytes.clone().into()),
            Inner::Answer(answer) if answer.is_over() => Some(Self::empty()),
            Inner::Stream(_) | Inner::Answer(_) => None,
        }
    }

    /// Reads the body to its end, at most 16 MiB.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) for a larger body: at once if its length
    /// was announced, otherwise when so much has arrived. The rest is not read, and its connection
    /// is closed. The limit protects memory: a provider may answer without end, and a few kilobytes
    /// may decompress to gigabytes. [`bytes_up_to`](Self::bytes_up_to) has another limit; reading
    /// frame by frame has none.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        self.bytes_up_to(MOST).await
    }

    /// Reads the body to its end, at most `most` bytes.
    ///
    /// A body that is in memory already is returned whatever its size.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    pub async fn bytes_up_to(self, most: usize) -> Result<Bytes, Error> {
        match self.0 {
            Inner::Empty => Ok(Bytes::new()),
            Inner::Bytes(bytes) => Ok(bytes),
            Inner::Stream(stream) => {
                let stream = stream.into_inner().unwrap_or_else(PoisonError::into_inner);
                collect(stream, most, |_| None).await
            }
            Inner::Answer(answer) => collect(answer, most, Answer::of).await,
        }
    }

    /// Reads the body to its end, as text, if it has no more than 16 MiB; what is not UTF-8 is replaced by
    /// `U+FFFD`.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String, Error> {
        self.text_up_to(MOST).await
    }

    /// Reads the body to its end, as text, if it has no more than `most` bytes; what is not UTF-8 is
    /// replaced by `U+FFFD`.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    pub async fn text_up_to(self, most: usize) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.bytes_up_to(most).await?).into_owned())
    }
}

pin_project! {
    /// A stream of bytes as a body.
    struct StreamedBody<S> {
        // Absent once it has ended: a stream must not be polled again.
        #[pin]
        stream: Option<S>,
    }
}

impl<S, D, E> http_body::Body for StreamedBody<S>
where
    S: Stream<Item = Result<D, E>>,
    D: Into<Bytes>,
{
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let part = std::task::ready!(stream.poll_next(cx));
        if !matches!(part, Some(Ok(_))) {
            this.stream.set(None);
        }
        Poll::Ready(part.map(|part| part.map(|data| Frame::data(data.into()))))
    }
}

impl IntoBytes for Body {
    fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Inner::Empty => Ok(Bytes::new()),
            Inner::Bytes(bytes) => Ok(bytes),
            Inner::Answer(answer) if answer.is_over() => Ok(Bytes::new()),
            Inner::Stream(_) | Inner::Answer(_) => Err(self),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        match &mut self.0 {
            Inner::Empty => Poll::Ready(None),
            Inner::Bytes(bytes) => {
                let all = std::mem::take(bytes);
                self.0 = Inner::Empty;
                Poll::Ready((!all.is_empty()).then(|| Ok(Frame::data(all))))
            }
            Inner::Stream(stream) => {
                let stream = stream.get_mut().unwrap_or_else(PoisonError::into_inner);
                let frame = std::task::ready!(Pin::new(stream).poll_frame(cx));
                Poll::Ready(
                    frame.map(|frame| frame.map_err(|error| Error::from_inner(error, None))),
                )
            }
            Inner::Answer(answer) => Pin::new(answer).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Empty => true,
            Inner::Bytes(bytes) => bytes.is_empty(),
            Inner::Stream(stream) => stream.locked().is_end_stream(),
            Inner::Answer(answer) => answer.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream(stream) => stream.locked().size_hint(),
            Inner::Answer(answer) => answer.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Empty => "Body(empty)",
            Inner::Bytes(_) => "Body(bytes)",
            Inner::Stream(_) | Inner::Answer(_) => "Body(stream)",
        })
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Bytes(bytes))
    }
}

impl From<Answer<Bytes>> for Body {
    fn from(answer: Answer<Bytes>) -> Self {
        Self(Inner::Answer(answer))
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

macro_rules! from_via_bytes {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Body {
            fn from(bytes: $kind) -> Self {
                Bytes::from(bytes).into()
            }
        }
    )*};
}

from_via_bytes!(Vec<u8>, String, &'static str, &'static [u8]);

impl From<http_body_util::Full<Bytes>> for Body {
    fn from(mut body: http_body_util::Full<Bytes>) -> Self {
        // It is one frame, which is there.
        let cx = &mut Context::from_waker(Waker::noop());
        match http_body::Body::poll_frame(Pin::new(&mut body), cx) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().map(Self::from).unwrap_or_default(),
            _ => Self::empty(),
        }
    }
}

impl From<http_body_util::Empty<Bytes>> for Body {
    fn from(_: http_body_util::Empty<Bytes>) -> Self {
        Self::empty()
    }
}

/// Far more than APIs answer to one call, and small enough that many calls may hold as much at
/// once.
const MOST: usize = 16 * 1024 * 1024;
