use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, SizeHint};

use super::buffer::{BufferReader, Original, ReplayBuffer, wake};
use crate::body::{IntoBytes, PolledFrame};
use crate::outcome::{BoxError, Error};
use crate::rt::Lock;

/// A request body that is recorded while it is first sent, so that it can be sent again.
///
/// Nothing is copied or read ahead: chunks are buffered as they are sent, up to a limit. If an
/// attempt ends early, the next one sends the buffered chunks and then the rest. A body over the
/// limit is sent once, and not buffered.
///
/// A connection may keep an attempt's body long after the answer. The next attempt takes over the
/// rest nevertheless, and the earlier body ends with an error, so that no part is taken for the
/// whole.
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    /// There is no body.
    Empty,
    /// It can't be sent again: nothing is recorded.
    Once(B),
    /// Recorded.
    Recorded(BufferReader<B>),
}

/// The retry layer's side of a recorded body. It is reused from call to call.
pub struct RecordedBody<B> {
    buffer: Arc<ReplayBuffer<B>>,
    /// There is no body.
    is_empty: bool,
}

// === impl Recording ===

impl<B> Default for RecordedBody<B> {
    fn default() -> Self {
        Self { buffer: ReplayBuffer::new(), is_empty: true }
    }
}

impl<B: Body> RecordedBody<B> {
    /// The body for the first attempt; recorded up to `cap` bytes.
    pub(crate) fn start(&mut self, body: B, cap: usize) -> ReplayBody<B> {
        self.is_empty = body.is_end_stream();
        if self.is_empty {
            return ReplayBody(Source::Empty);
        }
        let (size, cap) = (body.size_hint(), cap as u64);
        let mut state = self.buffer.state.locked();
        state.begin(cap, size);
        if size.lower() > cap {
            state.is_kept = false;
            return ReplayBody(Source::Once(body));
        }
        state.original = Original::Here(body);
        ReplayBody(Source::Recorded(BufferReader::new(&self.buffer, state.current)))
    }

    /// The body for another attempt, if it can be sent again.
    pub(crate) fn again(&self) -> Option<ReplayBody<B>> {
        if self.is_empty {
            return Some(ReplayBody(Source::Empty));
        }
        let mut state = self.buffer.state.locked();
        if !state.is_kept {
            return None;
        }
        state.current += 1;
        let reader = match state.is_empty() {
            true => Source::Empty,
            false => Source::Recorded(BufferReader::new(&self.buffer, state.current)),
        };
        // Wake the earlier attempt: it may still hold a connection, and must end.
        wake(state);
        Some(ReplayBody(reader))
    }

    /// Whether the body can be sent again.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_empty || self.buffer.state.locked().is_kept
    }

    /// Whether the whole body was read for sending, and can be sent again.
    pub(crate) fn is_sent(&self) -> bool {
        if self.is_empty {
            return true;
        }
        let state = self.buffer.state.locked();
        state.is_kept && matches!(state.original, Original::Complete)
    }

    /// Drops the body, so that nothing of it is kept between calls.
    pub(crate) fn clear(&mut self) {
        if !self.is_empty {
            ReplayBuffer::clear(&mut self.buffer);
        }
    }
}

// === impl ReplayBody ===

impl<B: Body> ReplayBody<B> {
    /// The body itself, if it isn't recorded.
    pub(crate) fn into_once(self) -> Result<B, Self> {
        match self.0 {
            Source::Once(body) => Ok(body),
            other => Err(Self(other)),
        }
    }

    /// A body that can be sent once, and isn't recorded.
    pub(crate) fn once(body: B) -> Self {
        match body.is_end_stream() {
            true => Self(Source::Empty),
            false => Self(Source::Once(body)),
        }
    }
}

/// Bytes are better for clients than a stream: with a known length, and sent again after a
/// redirect.
impl<B: IntoBytes> IntoBytes for ReplayBody<B> {
    /// Only if this attempt has sent nothing yet.
    fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Source::Empty => Ok(Bytes::new()),
            Source::Once(body) => body.into_bytes().map_err(|body| Self(Source::Once(body))),
            Source::Recorded(mut reader) => match reader.take_bytes() {
                Some(bytes) => Ok(bytes),
                None => Err(Self(Source::Recorded(reader))),
            },
        }
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        match &mut self.get_mut().0 {
            Source::Empty => Poll::Ready(None),
            Source::Once(body) => {
                let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
                let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                Poll::Ready(frame.map(|frame| match frame {
                    Ok(frame) => Ok(frame.map_data(whole)),
                    Err(error) => Err(Error::from_inner(error, None)),
                }))
            }
            Source::Recorded(reader) => reader.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Once(body) => body.is_end_stream(),
            Source::Recorded(reader) => reader.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Empty => SizeHint::with_exact(0),
            Source::Once(body) => body.size_hint(),
            Source::Recorded(reader) => reader.size_hint(),
        }
    }
}

/// The original body is polled where it lies in the buffer, and never pinned here.
impl<B> Unpin for ReplayBody<B> {}

impl<B> std::fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Source::Empty => "ReplayBody(empty)",
            Source::Once(_) => "ReplayBody(once)",
            Source::Recorded(_) => "ReplayBody(recorded)",
        })
    }
}
