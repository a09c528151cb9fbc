use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::buffer::{Original, Playing, Tape, wake};
use crate::body::IntoBytes;
use crate::outcome::{BoxError, Error};

/// A request body that is recorded while it is first sent, so that it can be sent again.
///
/// Nothing is copied and nothing read ahead: what goes out is remembered, up to a cap. If an attempt
/// ends early, the next one sends what is remembered and then goes on with the rest. A body over the
/// cap is sent once, and not remembered.
///
/// A connection may hold on to an attempt's body long after the answer came. The next attempt takes
/// the rest over all the same, and the earlier one's body fails: it is never passed off as whole.
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    /// There is no body.
    Empty,
    /// Not to be sent again: nothing is recorded.
    Once(B),
    /// Recorded.
    Recorded(Playing<B>),
}

/// The retry layer's end of a recorded body; reused from call to call.
pub struct Recording<B> {
    tape: Arc<Tape<B>>,
    /// There is no body, and nothing on the tape.
    blank: bool,
}

// === impl Recording ===

impl<B> Default for Recording<B> {
    fn default() -> Self {
        Self { tape: Tape::new(), blank: true }
    }
}

impl<B: Body> Recording<B> {
    /// The body for the first attempt; recorded up to `cap` bytes.
    pub(crate) fn start(&mut self, body: B, cap: usize) -> ReplayBody<B> {
        self.blank = body.is_end_stream();
        if self.blank {
            return ReplayBody(Source::Empty);
        }
        let (size, cap) = (body.size_hint(), cap as u64);
        let mut state = self.tape.state();
        state.begin(cap, size);
        if size.lower() > cap {
            state.kept = false;
            return ReplayBody(Source::Once(body));
        }
        state.original = Original::Here(body);
        ReplayBody(Source::Recorded(Playing::new(&self.tape, state.current)))
    }

    /// The body for another attempt, if it can be sent again.
    pub(crate) fn again(&self) -> Option<ReplayBody<B>> {
        if self.blank {
            return Some(ReplayBody(Source::Empty));
        }
        let mut state = self.tape.state();
        if !state.kept {
            return None;
        }
        state.current += 1;
        let playing = match state.is_empty() {
            true => Source::Empty,
            false => Source::Recorded(Playing::new(&self.tape, state.current)),
        };
        // The earlier attempt may still hold a connection: it learns that it is over.
        wake(state);
        Some(ReplayBody(playing))
    }

    /// Whether the body can be sent again.
    pub(crate) fn is_kept(&self) -> bool {
        self.blank || self.tape.state().kept
    }

    /// Whether all of the body was taken by who sends it, and can be sent again.
    pub(crate) fn is_sent(&self) -> bool {
        if self.blank {
            return true;
        }
        let state = self.tape.state();
        state.kept && matches!(state.original, Original::Complete)
    }

    /// Forgets the body, so that nothing of it is kept between calls.
    pub(crate) fn clear(&mut self) {
        if !self.blank {
            Tape::wipe(&mut self.tape);
        }
    }
}

// === impl ReplayBody ===

impl<B: Body> ReplayBody<B> {
    /// The body itself, where nothing is recorded.
    pub(crate) fn into_once(self) -> Result<B, Self> {
        match self.0 {
            Source::Once(body) => Ok(body),
            other => Err(Self(other)),
        }
    }

    /// A body that is sent once: nothing is recorded.
    pub(crate) fn once(body: B) -> Self {
        match body.is_end_stream() {
            true => Self(Source::Empty),
            false => Self(Source::Once(body)),
        }
    }
}

/// Clients send bytes better than a stream: with their length, and again after a redirect.
impl<B: IntoBytes> IntoBytes for ReplayBody<B> {
    /// Only if nothing of them was sent by this attempt.
    fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Source::Empty => Ok(Bytes::new()),
            Source::Once(body) => body.into_bytes().map_err(|body| Self(Source::Once(body))),
            Source::Recorded(mut playing) => match playing.take_bytes() {
                Some(bytes) => Ok(bytes),
                None => Err(Self(Source::Recorded(playing))),
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

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
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
            Source::Recorded(playing) => playing.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Once(body) => body.is_end_stream(),
            Source::Recorded(playing) => playing.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Empty => SizeHint::with_exact(0),
            Source::Once(body) => body.size_hint(),
            Source::Recorded(playing) => playing.size_hint(),
        }
    }
}

/// The playing half lays its part down by value, wherever it is.
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
