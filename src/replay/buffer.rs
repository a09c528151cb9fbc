//! The request body that the attempts of one call share.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::body::{IntoBytes, PolledFrame};
use crate::outcome::{BoxError, Error};
use crate::rt::Lock;

/// Reads the body for one attempt: the buffered part first, then the original.
pub(super) struct BufferReader<B> {
    buffer: Arc<ReplayBuffer<B>>,
    /// The attempt's number, by the buffer's count.
    attempt: u32,
    /// How many buffered chunks this attempt has sent.
    next: usize,
    /// How many bytes this attempt has sent.
    sent: u64,
    trailers_sent: bool,
}

/// A request body, buffered while it is first sent.
pub(super) struct ReplayBuffer<B> {
    pub(super) state: Mutex<State<B>>,
}

pub(super) struct State<B> {
    chunks: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    /// Bytes read from the original so far.
    read: u64,
    cap: u64,
    /// The size that the original announced.
    size: SizeHint,
    pub(super) original: Original<B>,
    /// All bytes read are buffered, so that the body can be sent again.
    pub(super) is_kept: bool,
    /// The attempt that may read the original; earlier ones may not.
    pub(super) current: u32,
    /// The attempt that waits, for the original or for another attempt that polls it.
    waiting: Option<Waker>,
}

pub(super) enum Original<B> {
    Here(B),
    /// An attempt is polling it now.
    Polling,
    /// It was read to its end.
    Complete,
    Failed,
}

/// Guards the time while an attempt polls the original. It is dropped only if the original panics:
/// the original is lost then, and other attempts must not wait for it.
struct PollGuard<'a, B>(&'a ReplayBuffer<B>);

/// What an attempt has to do for its next frame.
enum Step<B> {
    Frame(Frame<Bytes>),
    Poll(B),
    Wait,
    End,
    Stop,
}

// === impl Tape ===

impl<B> ReplayBuffer<B> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::new()) })
    }

    /// Clears the buffer, or replaces it if a connection still uses it.
    pub(super) fn clear(buffer: &mut Arc<Self>) {
        match Arc::get_mut(buffer) {
            Some(buffer) => {
                let state = buffer.state.get_mut().unwrap_or_else(PoisonError::into_inner);
                state.begin(0, SizeHint::default());
            }
            // A connection is still sending the body: leave it the old buffer.
            None => *buffer = Self::new(),
        }
    }
}

impl<B> State<B> {
    fn new() -> Self {
        Self {
            chunks: Vec::new(),
            trailers: None,
            read: 0,
            cap: 0,
            size: SizeHint::default(),
            original: Original::Complete,
            is_kept: true,
            current: 0,
            waiting: None,
        }
    }

    /// Clears the state, and keeps its memory.
    pub(super) fn begin(&mut self, cap: u64, size: SizeHint) {
        let mut chunks = std::mem::take(&mut self.chunks);
        chunks.clear();
        *self = Self { chunks, cap, size, ..Self::new() };
    }

    pub(super) fn is_empty(&self) -> bool {
        let complete = matches!(self.original, Original::Complete);
        complete && self.chunks.is_empty() && self.trailers.is_none()
    }

    fn record(&mut self, chunk: &Bytes) {
        self.read += chunk.len() as u64;
        if self.is_kept && self.read > self.cap {
            self.drop_copy();
        }
        // Empty chunks are skipped: there may be any number of them.
        if self.is_kept && !chunk.is_empty() {
            self.chunks.push(chunk.clone());
        }
    }

    fn wait(&mut self, waker: &Waker) {
        match &mut self.waiting {
            Some(known) => known.clone_from(waker),
            None => self.waiting = Some(waker.clone()),
        }
    }

    fn drop_copy(&mut self) {
        self.is_kept = false;
        self.chunks = Vec::new();
        self.trailers = None;
    }
}

/// Releases the lock, then wakes the attempt that waits.
pub(super) fn wake<B>(mut state: MutexGuard<'_, State<B>>) {
    let waiting = state.waiting.take();
    drop(state);
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

// === impl PollGuard ===

impl<B> Drop for PollGuard<'_, B> {
    fn drop(&mut self) {
        let mut state = self.0.state.locked();
        state.drop_copy();
        state.original = Original::Failed;
        wake(state);
    }
}

// === impl Playing ===

impl<B> BufferReader<B> {
    pub(super) fn new(buffer: &Arc<ReplayBuffer<B>>, attempt: u32) -> Self {
        Self { buffer: Arc::clone(buffer), attempt, next: 0, sent: 0, trailers_sent: false }
    }

    /// The buffered chunks are sent first, then the rest of the original.
    fn step(&mut self, cx: &Context<'_>) -> Step<B> {
        let mut state = self.buffer.state.locked();
        if state.current != self.attempt {
            // Another attempt is current. This one may end only if it has sent everything.
            return if self.is_at_end(&state) { Step::End } else { Step::Stop };
        }
        if let Some(chunk) = state.chunks.get(self.next).cloned() {
            self.next += 1;
            self.sent += chunk.len() as u64;
            return Step::Frame(Frame::data(chunk));
        }
        if self.sent != state.read {
            // The chunks that this attempt still had to send were dropped, over the limit.
            return Step::Stop;
        }
        if let Some(trailers) = state.trailers.clone().filter(|_| !self.trailers_sent) {
            self.trailers_sent = true;
            return Step::Frame(Frame::trailers(trailers));
        }
        match std::mem::replace(&mut state.original, Original::Polling) {
            Original::Here(original) => return Step::Poll(original),
            other => state.original = other,
        }
        match state.original {
            Original::Complete => Step::End,
            Original::Failed => Step::Stop,
            Original::Here(_) | Original::Polling => {
                state.wait(cx.waker());
                Step::Wait
            }
        }
    }
}

impl<B> BufferReader<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> PolledFrame {
        let mut original = match self.step(cx) {
            Step::Frame(frame) => return Poll::Ready(Some(Ok(frame))),
            Step::Wait => return Poll::Pending,
            Step::End => return Poll::Ready(None),
            Step::Stop => {
                // An error, so that the provider doesn't take a part for the whole.
                let error = Error::body_failed("its body is no longer here");
                return Poll::Ready(Some(Err(error)));
            }
            Step::Poll(original) => original,
        };
        let polling = PollGuard(&self.buffer);
        let polled = Pin::new(&mut original).poll_frame(cx);
        let polled = polled.map(|frame| (frame, original.is_end_stream()));
        std::mem::forget(polling);
        match polled {
            Poll::Ready((frame, at_end)) => Poll::Ready(self.record(original, frame, at_end)),
            Poll::Pending => {
                let mut state = self.buffer.state.locked();
                state.original = Original::Here(original);
                match state.current == self.attempt {
                    true => state.wait(cx.waker()),
                    // Another attempt continues from here.
                    false => wake(state),
                }
                Poll::Pending
            }
        }
    }

    /// Buffers a frame of the original, and puts the original back.
    fn record(
        &mut self,
        original: B,
        frame: Option<Result<Frame<B::Data>, B::Error>>,
        at_end: bool,
    ) -> Option<Result<Frame<Bytes>, Error>> {
        let mut state = self.buffer.state.locked();
        state.original = Original::Here(original);
        let frame = match frame {
            None => None,
            Some(Err(error)) => {
                state.drop_copy();
                state.original = Original::Failed;
                Some(Err(Error::from_inner(error, None)))
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(mut data) => {
                    // For `Bytes` this makes no copy.
                    let chunk = data.copy_to_bytes(data.remaining());
                    state.record(&chunk);
                    self.next += usize::from(!chunk.is_empty());
                    self.sent += chunk.len() as u64;
                    Some(Ok(Frame::data(chunk)))
                }
                Err(frame) => frame.into_trailers().ok().map(|trailers| {
                    state.trailers = state.is_kept.then(|| trailers.clone());
                    self.trailers_sent = true;
                    Ok(Frame::trailers(trailers))
                }),
            },
        };
        let over = frame.is_none() || at_end;
        if over && matches!(state.original, Original::Here(_)) {
            state.original = Original::Complete;
        }
        match state.current == self.attempt {
            true => state.waiting = None,
            false => wake(state),
        }
        frame
    }
}

impl<B> BufferReader<B> {
    pub(super) fn is_end_stream(&self) -> bool {
        self.is_at_end(&self.buffer.state.locked())
    }

    fn is_at_end(&self, state: &State<B>) -> bool {
        let is_sent = self.sent == state.read && (self.trailers_sent || state.trailers.is_none());
        is_sent && matches!(state.original, Original::Complete)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let announced = self.buffer.state.locked().size;
        let mut left = SizeHint::new();
        if let Some(upper) = announced.upper() {
            left.set_upper(upper.saturating_sub(self.sent));
        }
        left.set_lower(announced.lower().saturating_sub(self.sent));
        left
    }
}

impl<B: IntoBytes> BufferReader<B> {
    pub(super) fn take_bytes(&mut self) -> Option<Bytes> {
        let mut state = self.buffer.state.locked();
        if self.next > 0 || self.attempt != state.current || state.trailers.is_some() {
            return None;
        }
        match std::mem::replace(&mut state.original, Original::Complete) {
            Original::Here(original) if state.chunks.is_empty() => match original.into_bytes() {
                Ok(bytes) => {
                    state.record(&bytes);
                    Some(bytes)
                }
                Err(stream) => {
                    state.original = Original::Here(stream);
                    None
                }
            },
            Original::Complete => match &state.chunks[..] {
                [all] => Some(all.clone()),
                _ => None,
            },
            other => {
                state.original = other;
                None
            }
        }
    }
}
